"""What a request asks of documents, checked and put in the terms of the database."""

from service.query.cursors import decode_cursor, encode_cursor
from service.query.fields import View, parse_fields
from service.query.filters import parse_filter
from service.query.order import EVERYTHING, Key, Place, Range, Sort, parse_sort

__all__ = [
    "EVERYTHING",
    "Key",
    "Place",
    "Range",
    "Sort",
    "View",
    "decode_cursor",
    "encode_cursor",
    "parse_fields",
    "parse_filter",
    "parse_sort",
]
