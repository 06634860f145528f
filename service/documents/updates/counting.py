"""Increments that wait for one another, made as one operation: what each of them leaves is known
from what all of them leave.

Only integers are counted so, far from the limits of their type. The sum of other numbers depends on
their order, or has another type.
"""

import struct
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import bson

from service.documents import layout
from service.documents.elements import place_of

MAX_AMOUNT = 2**24
MAX_COUNT = 63
"""Increments in one operation: their sum is less than 2^30, so that a value stays in its type."""
MAX_PATHS = 4
MAX_BYTES = 16 * 1024
"""Of the document: it is searched for each path, and copied for each increment."""

# The integers of BSON by the numbers of their types: their form, and the greatest value from which
# they are counted.
_FORMS = {0x10: struct.Struct("<i"), 0x12: struct.Struct("<q")}
_GREATEST = {0x10: 2**30, 0x12: 2**62}


def with_set(operators: bytes, fields: bytes) -> bytes:
    """The operators (BSON), of these without their frame, and of elements for `$set`, if any."""
    return layout.whole(operators + (b"\x03$set\0" + layout.whole(fields) if fields else b""))


def amounts_in(operators: Mapping[str, Mapping[str, Any]]) -> dict[str, int] | None:
    """What these operators add to the values at which paths; None if they do anything else, or add
    what cannot be counted."""
    amounts = dict(operators.get("$inc", {}))
    if len(operators) > 1 or not 0 < len(amounts) <= MAX_PATHS:
        return None
    for path, amount in amounts.items():
        if type(amount) is not int or abs(amount) > MAX_AMOUNT:
            return None
        # With an index, a condition may be about another value than the operator.
        if any(map(str.isdigit, path.split("."))):
            return None
    return amounts


class Counting:
    """Increments of the same values, one after the other, as one operation."""

    def __init__(self, increments: Sequence[Mapping[str, int]], types: Mapping[str, int]) -> None:
        """`types` are those of the values, by their paths."""
        self._increments = increments
        sums = Counter[str]()
        for increment in increments:
            sums.update(increment)
        self._sums = bson.encode({"$inc": sums})[4:-1]
        self.condition = {
            path: {"$type": kind, "$gte": -_GREATEST[kind], "$lte": _GREATEST[kind]}
            for path, kind in types.items()
        }
        """What the query must demand, besides the `_id`."""

    def __len__(self) -> int:
        return len(self._increments)

    def encoded(self, mark: bytes) -> bytes:
        """The operators (BSON), which also set the elements of `mark`."""
        return with_set(self._sums, mark)

    def outcomes(self, document: bytes) -> list[bytes]:
        """The document after each increment, of the document after all of them (BSON)."""
        places = {path: _place_of(document, path) for path in self.condition}
        outcomes = [document]
        for increment in reversed(self._increments[1:]):
            before = bytearray(outcomes[-1])
            for path, amount in increment.items():
                kind, start = places[path]
                form = _FORMS[kind]
                form.pack_into(before, start, form.unpack_from(before, start)[0] - amount)
            outcomes.append(bytes(before))
        return outcomes[::-1]


def counting(updates: Sequence[Mapping[str, int] | None], document: bytes) -> Counting | None:
    """As many of the first updates as can be made as one, of the document (BSON) as it is, or was a
    moment ago. `updates` are what `amounts_in` says of them. None if fewer than two can."""
    increments: list[Mapping[str, int]] = []
    for amounts in updates[:MAX_COUNT]:
        if amounts is None or (increments and amounts.keys() != increments[0].keys()):
            break
        increments.append(amounts)
    if len(increments) < 2 or len(document) > MAX_BYTES:
        return None
    types = {}
    for path in increments[0]:
        types[path], start = _place_of(document, path)
        form = _FORMS.get(types[path])
        if form is None or abs(form.unpack_from(document, start)[0]) > _GREATEST[types[path]]:
            return None
    return Counting(increments, types)


def _place_of(document: bytes, path: str) -> tuple[int, int]:
    """The type of the value at the path, 0 if there is none, and where it starts."""
    return place_of(document, path.encode().split(b".")) or (0, 0)
