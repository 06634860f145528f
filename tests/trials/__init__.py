"""Long trials, each with a command of its own; see tests/README.md."""
