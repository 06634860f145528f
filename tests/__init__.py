"""The promises of the service, tested over HTTP against a real engine."""
