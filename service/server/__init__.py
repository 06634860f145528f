"""The process that serves: HTTP/1.1 limits, lifecycle, workers, the embedded engine."""
