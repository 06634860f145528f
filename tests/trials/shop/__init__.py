"""A client of a database that another program owns."""
