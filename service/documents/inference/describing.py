"""A JSON Schema that documents fit, made from these documents.

It says only what they prove: the type at a path where they have one, and which members all of them
have. Where they disagree, and of what is beyond the limits below, it says nothing: anything fits.
"""

from collections import Counter, deque
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import orjson

from service.documents.inference.kinds import OF_JSON, SCHEMAS, kinds_of
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
        doubts.append(Doubt(place, _leave_open(schema, kinds, said)))
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


def _leave_open(schema: Schema, kinds: Counter[str], said: str) -> str:
    """Let a schema allow anything, and return a sentence on that.

    If strings can only stand for values of one type, such as dates beside numbers, the schema says
    so: who reads such a value and writes it again would store text, or Extended JSON, in its place.
    """
    reason = "There are several types" if len(kinds) > 1 else "JSON lacks the type"
    others = kinds.keys() - OF_JSON
    but, advice = "", ""
    if len(others) == 1 and others <= SCHEMAS.keys() and "string" not in kinds:
        [kind] = others
        schema |= {**SCHEMAS[kind], "type": ANYTHING}
        but = f", but a string is stored as {kind}"
    elif others:
        advice = " Patch it, or send Extended JSON: a PUT of JSON loses the type."
    elif not kinds:
        reason = "There is no value but null"
    schema["$comment"] = f"Seen: {said}."
    return f"Anything is allowed{but}. {reason}: {said}.{advice}"


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
