"""Stuff: an HTTP JSON document store on MongoDB."""

__version__ = "0.2.0"
