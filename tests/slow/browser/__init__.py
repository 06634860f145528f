"""The page at `/` and Swagger UI, in a real browser."""
