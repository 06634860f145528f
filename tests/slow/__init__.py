"""Tests that take minutes or many processes: `make test-slow`."""
