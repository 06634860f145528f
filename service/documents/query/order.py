"""The order of documents, and how to ask for what comes after one of them.

Documents are sorted by fields and finally by `_id`, so that no two are equal. What comes after one
is asked for as ranges of the fields' values, never by counting: an index with the same order is
entered at exactly that place.

MongoDB sorts values of all types, but its `$gt` only finds values of the type of its operand. And
it compares each element of an array: the smallest counts in ascending order, the largest in
descending order. So a range is asked for in two steps, the rest of the type and the types after it,
and the answer may contain documents with an array that belong elsewhere: `Sort.placement` finds
them.

https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
https://www.mongodb.com/docs/manual/reference/method/cursor.sort/
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from typing import Any, TypeAlias

from service.documents.query.fields import check_path, parents
from service.documents.query.values import (
    BEYOND_NAN,
    EMPTY,
    NOT_A_NUMBER,
    Rank,
    comparable,
    rank_of,
)
from service.errors import InvalidParameter

MAX_SORT_FIELDS = 8
MAX_VALUES = 10_000
"""Elements of an array that a document is sorted by, times the fields of the order: each of them is
compared."""

SortKey: TypeAlias = tuple[Any, ...]
"""What a document is sorted by: a value for each field of the order."""


@dataclass(frozen=True, slots=True)
class KeyRange:
    """A condition that documents of a range meet. Others that meet it, because of an array or since
    the values are not comparable, come before the range or after it, and are recognised by
    comparing (`Sort.placement`).
    """

    condition: dict[str, Any]
    is_exact: bool = True
    equal: int = 0
    """How many of the first fields are as in the key that the range comes after. Documents that
    meet the condition by an array and differ in these belong to a later range."""


EVERYTHING = KeyRange({})


class Placement(Enum):
    """Where a document that was found in a range belongs."""

    BEFORE, WITHIN, AFTER = range(3)


@dataclass(frozen=True, slots=True)
class Sort:
    """An order: fields, and 1 for ascending or -1 for descending. The last one is `_id`."""

    fields: tuple[tuple[str, int], ...]

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.fields]

    def key(self, document: Mapping[str, Any]) -> SortKey:
        """What the document is sorted by. Raises `InvalidParameter` if it has arrays in several
        fields of the order (MongoDB calls them parallel), or more than `MAX_VALUES` values."""
        keys, _ = self._keys(document)
        return keys[0] if len(keys) == 1 else min(keys, key=self._comparable)

    def placement(
        self, document: Mapping[str, Any], key: SortKey, range: KeyRange
    ) -> tuple[Placement, SortKey]:
        """Where the document, found in a range of what comes after the key, belongs; and its own
        key.

        Raises `InvalidParameter` as `key` does.
        """
        keys, has_arrays = self._keys(document)
        if range.is_exact and not has_arrays:
            return Placement.WITHIN, keys[0]
        comparables = list(map(self._comparable, keys))
        own, other = min(comparables), self._comparable(key)
        own_key = keys[comparables.index(own)]
        if not own > other:
            return Placement.BEFORE, own_key
        is_within = own[: range.equal] == other[: range.equal]
        return Placement.WITHIN if is_within else Placement.AFTER, own_key

    def ranges_after(self, key: SortKey) -> Iterator[KeyRange]:
        """The ranges of what comes after the key, in order."""
        for index in reversed(range(len(self.fields))):
            equal = [
                _equal(path, value) for path, value in zip(self.paths[:index], key, strict=False)
            ]
            path, direction = self.fields[index]
            for beyond in _beyond(path, direction, key[index]):
                yield KeyRange(_all([*equal, beyond.condition]), beyond.is_exact, index)

    def _keys(self, document: Mapping[str, Any]) -> tuple[list[SortKey], bool]:
        """The keys of the document in an index, and whether an array determines them."""
        ends = [_walk(document, path.split(".")) for path in self.paths]
        if any(isinstance(value, list) for value, _ in ends):
            limit = MAX_VALUES // len(ends)
            keys = list(islice(_expand(ends), limit + 1))
            if len(keys) > limit:
                raise _invalid(
                    f"A document has an array of more than {limit:,} elements in a field of the "
                    "order. Sort by other fields, or by fewer."
                )
            return keys, True
        return [tuple(value for value, _ in ends)], False

    def _comparable(self, key: SortKey) -> tuple[Any, ...]:
        return tuple(
            comparable(value) if direction == 1 else _Reversed(comparable(value))
            for value, (_, direction) in zip(key, self.fields, strict=True)
        )


@dataclass(frozen=True, slots=True)
class _Reversed:
    value: Any

    def __lt__(self, other: "_Reversed") -> bool:
        return bool(other.value < self.value)


def parse_sort(value: str | None) -> Sort:
    """The order of `sort=-year,name`. Raises `InvalidParameter`."""
    if value is not None and value.count(",") >= MAX_SORT_FIELDS:
        raise _invalid(f"Documents can be sorted by {MAX_SORT_FIELDS} fields at most.")
    fields: dict[str, int] = {}
    for name in value.split(",") if value is not None else ["_id"]:
        path = name.removeprefix("-")
        check_path(path, "sort")
        if any(step.isdigit() for step in path.split(".")[1:]):
            # MongoDB takes it both for an index of an array and for the name of a field.
            raise _invalid(f"{path!r}: documents cannot be sorted by an element of an array.")
        if path in fields:
            raise _invalid(f"{path!r} is listed twice.")
        fields[path] = -1 if name.startswith("-") else 1
    if "_id" in fields:  # no two are equal, so what follows decides nothing
        fields = dict(list(fields.items())[: list(fields).index("_id") + 1])
    else:
        # In the direction of the last field, so that one index serves both directions.
        fields["_id"] = list(fields.values())[-1]
    return Sort(tuple(fields.items()))


def _expand(ends: list[tuple[Any, list[str]]]) -> Iterator[SortKey]:
    """The keys of a document. Each field ends in a value, or in an array with the names that
    remain."""
    arrays = [value for value, _ in ends if isinstance(value, list)]
    if not arrays:
        yield tuple(value.value if isinstance(value, _Element) else value for value, _ in ends)
        return
    array = arrays[0]
    # MongoDB refuses this too: each combination of elements would have to be compared. Not every
    # engine does.
    if any(other is not array for other in arrays):
        raise _invalid(
            "A document has arrays in several fields of the order. Sort by one of them at most."
        )
    # The fields that go through this array do so together, element by element.
    for element in array or [EMPTY]:
        below: list[tuple[Any, list[str]]] = []
        for value, steps in ends:
            if value is not array:
                below.append((value, steps))
            elif not steps:
                below.append((_Element(element), []))
            else:
                below.append((None, []) if isinstance(element, list) else _walk(element, steps))
        yield from _expand(below)


@dataclass(frozen=True, slots=True)
class _Element:
    """An element of an array where a path ends. If it is an array itself, it counts as a whole."""

    value: Any


def _walk(value: Any, steps: list[str]) -> tuple[Any, list[str]]:
    """Follow the names to a value, or to an array on the way; None if they lead nowhere."""
    for index, step in enumerate(steps):
        if isinstance(value, list):
            return value, steps[index:]
        if isinstance(value, Mapping):
            value = value.get(step)
        else:
            return None, []
    return value, []


def _beyond(path: str, direction: int, value: Any) -> Iterator[KeyRange]:
    """The values that come after one, in the order of this field: of its type, then of others."""
    rank = rank_of(value)
    if rank.is_comparable:
        yield KeyRange({path: {"$gt" if direction == 1 else "$lt": value}})
    elif rank is Rank.NAN and direction == 1:
        yield KeyRange({path: BEYOND_NAN})
    others = [other for other in Rank if (other > rank if direction == 1 else other < rank)]
    if rank is Rank.NAN and direction == 1:
        others.remove(Rank.NUMBER)
    is_exact = rank not in (Rank.ARRAY, Rank.REGEX, Rank.CODE)
    if not is_exact:
        others.append(rank)
    conditions: list[dict[str, Any]] = []
    if types := [name for other in others for name in other.types]:
        conditions.append({path: {"$type": types}})
    if Rank.NAN in others and Rank.NUMBER not in others:
        conditions.append({path: {"$eq": NOT_A_NUMBER}})
    if Rank.NULL in others:
        conditions.append(_nothing(path))
    if Rank.EMPTY in others and path != "_id":
        conditions.append({path: {"$eq": []}})
    if conditions:
        condition = conditions[0] if len(conditions) == 1 else {"$or": conditions}
        yield KeyRange(condition, is_exact)


def _equal(path: str, value: Any) -> dict[str, Any]:
    if value is None:
        return _nothing(path)
    return {path: {"$eq": [] if value is EMPTY else value}}


def _nothing(path: str) -> dict[str, Any]:
    """Documents that have null there, or nothing."""
    arrays = [{parent: {"$type": "array"}} for parent in parents(path)]
    # In an array some elements may lack the field, which counts as null, while others have it.
    return {"$or": [{path: None}, *arrays]} if arrays else {path: None}


def _all(conditions: list[dict[str, Any]]) -> dict[str, Any]:
    """The conditions as one; without `$and` if possible, which every engine handles best."""
    merged: dict[str, Any] = {}
    for condition in conditions:
        if not merged.keys().isdisjoint(condition):
            return {"$and": conditions}
        merged |= condition
    return merged


def _invalid(detail: str) -> InvalidParameter:
    return InvalidParameter("sort", detail)
