"""The kinds of values that a schema can tell apart."""

from collections import Counter
from collections.abc import Iterable, Mapping
from math import isfinite
from typing import Any

from bson import Binary, DatetimeMS, Int64

from service.documents.typed.kinds import KINDS as TYPED

SCHEMAS: Mapping[str, Mapping[str, str]] = {
    **{
        kind: {"type": kind}
        for kind in ("boolean", "integer", "number", "string", "object", "array")
    },
    **{kind: {"type": "string", "x-bson": kind} for kind in TYPED},
    "date": {"type": "string", "format": "date-time", "x-bson": "date"},
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
}


OF_JSON = frozenset({*_BY_TYPE.values(), "number"})
"""Kinds of values that JSON has."""


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
        return "number" if isfinite(value) else "infinite number"
    for name, kind in TYPED.items():
        if kind.write(value) is not None:
            return name
    if type(value) is DatetimeMS:
        return "date outside of the years 1 to 9999"
    if type(value) is Binary:
        return f"binary of subtype {value.subtype}"
    return type(value).__name__.lower()
