"""Stuff: an HTTP JSON document store on MongoDB."""

__version__ = "0.1.0"
