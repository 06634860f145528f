"""Documents between files and a server, over HTTP: what `stuff export` and `stuff import` do."""
