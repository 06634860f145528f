"""Documents as values: JSON and BSON, patches, preconditions, queries. Pure: no I/O, no HTTP."""
