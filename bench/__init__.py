"""What the store costs, against the forty lines it began as and the ceilings of the frameworks."""
