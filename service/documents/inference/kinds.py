"""The kinds of values that a schema can tell apart."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bson import Binary, DatetimeMS, Decimal128, Int64, ObjectId
from bson.binary import UUID_SUBTYPE

UUID_BYTES = 16

SCHEMAS: Mapping[str, Mapping[str, str]] = {
    "boolean": {"type": "boolean"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "string": {"type": "string"},
    "object": {"type": "object"},
    "array": {"type": "array"},
    "date": {"type": "string", "format": "date-time", "x-bson": "date"},
    "objectid": {"type": "string", "x-bson": "objectid"},
    "decimal": {"type": "string", "x-bson": "decimal"},
    "binary": {"type": "string", "x-bson": "binary"},
    "uuid": {"type": "string", "format": "uuid", "x-bson": "uuid"},
}
"""How a schema says that a value is of a kind. There is no way to say it of other kinds: JSON lacks
them, so that they are read as Extended JSON."""

_BY_TYPE: Mapping[type, str] = {
    type(None): "null",
    bool: "boolean",
    int: "integer",
    Int64: "integer",
    str: "string",
    dict: "object",
    list: "array",
    datetime: "date",
    ObjectId: "objectid",
    bytes: "binary",
    DatetimeMS: "date outside of the years 1 to 9999",
}


def kinds_of(values: Iterable[Any]) -> Counter[str]:
    """How many values of `codec.decode` are of which kind: a key of `SCHEMAS`, `null`, or words for
    another type."""
    values = list(values)
    kinds: Counter[str] = Counter()
    # Most types are told apart in compiled code.
    for kind, count in Counter(map(type, values)).items():
        if kind in _BY_TYPE:
            kinds[_BY_TYPE[kind]] += count
        else:
            kinds.update(_looked_at(value) for value in values if type(value) is kind)
    return kinds


def _looked_at(value: Any) -> str:
    if type(value) is float:
        return "number" if math.isfinite(value) else "infinite number"
    if type(value) is Decimal128:
        return "decimal" if value.to_decimal().is_finite() else "infinite decimal"
    if type(value) is Binary:
        if value.subtype == UUID_SUBTYPE and len(value) == UUID_BYTES:
            return "uuid"
        return f"binary of subtype {value.subtype}"
    return type(value).__name__.lower()
