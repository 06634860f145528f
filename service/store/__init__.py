"""What can be done with documents: one by its id, many by a query, loads, indexes, the feed.

Knows no HTTP.
"""
