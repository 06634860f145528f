"""A JSON Schema that documents fit, made from these documents.

It says only what they prove: the type at a path where they have one, and which members all of them
have. Where they disagree, and of what is beyond the limits below, it says nothing: anything fits.
"""

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import orjson

from service.documents.inference.kinds import SCHEMAS, kinds_of
from service.documents.inference.members import Values, members_of

MAX_SCHEMAS = 2000
"""Paths in the documents of a collection that are described, those with few steps first."""
MAX_STEPS = 40
"""Steps to a place in the schema: some twenty objects within one another."""
REPEATED = 20
"""Values after which it is worth a comment that there are few different ones."""
MAX_SEEN = 10
"""Different values, or names, that are listed."""
MAX_SEEN_BYTES = 40
"""Size of a value that a comment lists, as JSON."""

ANYTHING = ["string", "number", "boolean", "object", "array", "null"]

Schema: TypeAlias = dict[str, Any]
Place: TypeAlias = tuple[str, ...]
"""The path to a place in a schema, as in a JSON Pointer."""


class Doubt(NamedTuple):
    """What the documents leave open."""

    place: Place
    detail: str
    """A sentence."""


class _Part(NamedTuple):
    """A schema that is still empty, and the values that it is to describe."""

    schema: Schema
    values: Values
    place: Place


def describe(documents: list[dict[str, Any]]) -> tuple[Schema, list[Doubt]]:
    """The schema of the fields of documents, in the types of `codec.decode`, and what it leaves
    open."""
    root: Schema = {}
    doubts: list[Doubt] = []
    pending = deque([_Part(root, documents, ())])
    for _ in range(MAX_SCHEMAS):
        if not pending:
            break
        part = pending.popleft()
        pending += _fill(part, doubts)
    if pending:
        doubts.append(
            Doubt((), f"Anything is allowed at {len(pending):,} paths, since there are so many.")
        )
    return root, doubts


def _fill(part: _Part, doubts: list[Doubt]) -> Iterator[_Part]:
    """Write the schema. Returns its parts that are still to be written."""
    schema, values, place = part
    kinds = kinds_of(values)
    said = _counts(kinds)
    has_null = kinds.pop("null", 0) > 0
    if set(kinds) == {"integer", "number"}:
        kinds = Counter({"number": kinds.total()})
    if len(kinds) != 1 or not SCHEMAS.keys() >= kinds.keys():
        schema |= _open(kinds)
        schema["$comment"] = f"Seen: {said}."
        but = f", but a string is stored as {schema['x-bson']}" if "x-bson" in schema else ""
        doubts.append(Doubt(place, f"Anything is allowed{but}. {_reason(kinds)}: {said}."))
        return
    [kind] = kinds
    schema |= SCHEMAS[kind]
    if has_null:
        schema["type"] = [schema["type"], "null"]
    if len(place) >= MAX_STEPS and kind in ("object", "array"):
        doubts.append(Doubt(place, "Anything is allowed inside, since it is nested so deep."))
    elif kind == "object":
        yield from _fill_object(part, doubts)
    elif kind == "array":
        items = [item for array in values if array is not None for item in array]
        if items:
            schema["items"] = {}
            yield _Part(schema["items"], items, (*place, "items"))
    elif kind in ("string", "integer") and (seen := _few(values)):
        schema["$comment"] = f"Seen: {seen}."


def _fill_object(part: _Part, doubts: list[Doubt]) -> Iterator[_Part]:
    schema, values, place = part
    objects = [each for each in values if each is not None]
    members = members_of(objects)
    if members.named:
        schema["properties"] = {name: {} for name in members.named}
        for name, inner in members.named.items():
            yield _Part(schema["properties"][name], inner, (*place, "properties", name))
    if required := [name for name, inner in members.named.items() if len(inner) == len(objects)]:
        schema["required"] = required
    if members.entries is not None:
        schema["additionalProperties"] = {}
        doubts.append(Doubt(place, "Any name is allowed: the names are many, or look like data."))
        yield _Part(
            schema["additionalProperties"], members.entries, (*place, "additionalProperties")
        )
    elif members.unnamed:
        shown = ", ".join(orjson.dumps(name).decode() for name in members.unnamed[:MAX_SEEN])
        doubts.append(Doubt(place, f"Not listed are fields with such names: {shown}."))


def _open(kinds: Counter[str]) -> Schema:
    """A schema of values of several kinds, which allows anything. If strings can only stand for
    values of one type, such as dates beside numbers, it says so: who reads such a value and writes
    it again would store a text, or the Extended JSON, in its place."""
    typed = [kind for kind in kinds if "x-bson" in SCHEMAS.get(kind, ())]
    if len(typed) != 1 or "string" in kinds or not SCHEMAS.keys() >= kinds.keys():
        return {}
    return dict(SCHEMAS[typed[0]]) | {"type": ANYTHING}


def _reason(kinds: Counter[str]) -> str:
    if not kinds:
        return "There is no value but null"
    return "JSON lacks the type" if len(kinds) == 1 else "There are several types"


def _counts(kinds: Counter[str]) -> str:
    """`string 980, integer 20`."""
    return ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())


def _few(values: Values) -> str | None:
    """The different values as JSON, if they are few for so many, and short."""
    if len(values) < REPEATED:
        return None
    seen: set[Any] = set()
    for value in values:
        if value is not None:
            seen.add(value)
        if len(seen) > MAX_SEEN:
            return None
    shown = [orjson.dumps(each) for each in sorted(seen)]
    if any(len(each) > MAX_SEEN_BYTES for each in shown):
        return None
    return b", ".join(shown).decode()
