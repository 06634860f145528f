"""What tests have in common: servers, clients, links that break, checks."""
