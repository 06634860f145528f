"""The order of BSON values of all types.

No library implements it: `bson` compares only some types, in the order of Python.

https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
"""

import math
from datetime import datetime
from enum import IntEnum
from typing import Any

from bson import (
    Binary,
    Code,
    DatetimeMS,
    DBRef,
    Decimal128,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)


class _Empty:
    """What an empty array is sorted by."""


EMPTY = _Empty()
NOT_A_NUMBER = math.nan
BEYOND_NAN = {"$gte": -math.inf}


class Rank(IntEnum):
    """The groups of types that are compared with one another, in order.

    NaN, the smallest number, has its own group, since no comparison in a query finds it.
    """

    MIN_KEY = 0
    EMPTY = 1
    NULL = 2
    NAN = 3
    NUMBER = 4
    STRING = 5
    OBJECT = 6
    ARRAY = 7
    BINARY = 8
    OBJECT_ID = 9
    BOOL = 10
    DATE = 11
    TIMESTAMP = 12
    REGEX = 13
    CODE = 14
    MAX_KEY = 15

    @property
    def types(self) -> tuple[str, ...]:
        """The names of this group's types for `$type`, if there are any."""
        return _TYPES.get(self, ())

    @property
    def is_comparable(self) -> bool:
        """Whether `$gt` and `$lt` take values of this type."""
        # Arrays are not: a query compares them both as a whole and by their elements.
        return Rank.NUMBER <= self <= Rank.TIMESTAMP and self is not Rank.ARRAY


_TYPES = {
    Rank.MIN_KEY: ("minKey",),
    Rank.EMPTY: ("undefined",),
    Rank.NUMBER: ("number",),
    Rank.STRING: ("string", "symbol"),
    Rank.OBJECT: ("object",),
    Rank.ARRAY: ("array",),
    Rank.BINARY: ("binData",),
    Rank.OBJECT_ID: ("objectId",),
    Rank.BOOL: ("bool",),
    Rank.DATE: ("date",),
    Rank.TIMESTAMP: ("timestamp",),
    Rank.REGEX: ("regex",),
    Rank.CODE: ("dbPointer", "javascript", "javascriptWithScope"),
    Rank.MAX_KEY: ("maxKey",),
}


def rank_of(value: Any) -> Rank:
    """The group of a value as `codec.decode` returns it."""
    match value:
        case None:
            return Rank.NULL
        case _Empty():
            return Rank.EMPTY
        case bool():
            return Rank.BOOL
        case int():
            return Rank.NUMBER
        case float():
            return Rank.NAN if math.isnan(value) else Rank.NUMBER
        case Decimal128():
            return Rank.NAN if value.to_decimal().is_nan() else Rank.NUMBER
        case Code():  # a kind of str
            return Rank.CODE
        case str():
            return Rank.STRING
        case list():
            return Rank.ARRAY
        case bytes() | Binary():
            return Rank.BINARY
        case ObjectId():
            return Rank.OBJECT_ID
        case datetime() | DatetimeMS():
            return Rank.DATE
        case Timestamp():
            return Rank.TIMESTAMP
        case Regex():
            return Rank.REGEX
        case MinKey():
            return Rank.MIN_KEY
        case MaxKey():
            return Rank.MAX_KEY
        case dict() | DBRef():
            return Rank.OBJECT
        case _:
            raise TypeError(f"Not a BSON value: {value!r}")


def comparable(value: Any) -> tuple[Any, ...]:
    """A tuple that compares as the value does in the database."""
    rank = rank_of(value)
    return (rank, *_content(rank, value))


def _content(rank: Rank, value: Any) -> tuple[Any, ...]:
    match value:
        case Code():
            return (str(value),)
        case bool() | str():  # by code points, which is by UTF-8 bytes
            return (value,)
        case int() | float() if rank is Rank.NUMBER:
            return (value,)
        case Decimal128() if rank is Rank.NUMBER:
            return (value.to_decimal(),)
        case DBRef():
            return _content(rank, dict(value.as_doc()))
        case dict():
            # Field by field: the type counts first, then the name, then the value.
            fields = [(rank_of(child), name, comparable(child)) for name, child in value.items()]
            return (tuple(fields),)
        case list():
            return (tuple(comparable(child) for child in value),)
        case bytes():
            return (len(value), getattr(value, "subtype", 0), bytes(value))
        case ObjectId():
            return (value.binary,)
        case datetime():
            return (int(DatetimeMS(value)),)
        case DatetimeMS():
            return (int(value),)
        case Timestamp():
            return (value.time, value.inc)
        case Regex():
            return (str(value.pattern), value.flags)
        case _:
            return ()
