"""The parameters of queries: filter, order, view and cursor, checked and translated for the
database."""

from service.documents.query.cursors import decode_cursor, encode_cursor
from service.documents.query.fields import View, parse_fields
from service.documents.query.filters import (
    MAX_BYTES,
    check_steps,
    parse_condition,
    parse_filter,
    patterns_of,
)
from service.documents.query.order import EVERYTHING, KeyRange, Placement, Sort, SortKey, parse_sort
from service.documents.query.selection import BY_ID, Selection

__all__ = [
    "BY_ID",
    "EVERYTHING",
    "MAX_BYTES",
    "KeyRange",
    "Placement",
    "Selection",
    "Sort",
    "SortKey",
    "View",
    "check_steps",
    "decode_cursor",
    "encode_cursor",
    "parse_condition",
    "parse_fields",
    "parse_filter",
    "parse_sort",
    "patterns_of",
]
