"""A client over HTTP: export to a file, import from a file, and watching the feed."""
