"""Hostile bytes against a live server."""
