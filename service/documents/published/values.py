"""Published schemas of single values, of unions of them, and of what may be null."""

from typing import Any, TypeAlias

from service.documents.published.shapes import Part, first, values_of

Published: TypeAlias = dict[str, Any]

NULL: Published = {"type": "null"}

ANNOTATIONS = ("description", "deprecated", "examples")
FORMATS = frozenset({"date-time", "date", "uuid", "uri", "email"})
"""Those that generators know and that mean the same to them."""
BOUNDS = {
    "string": ("minLength", "maxLength"),
    "integer": ("minimum", "maximum"),
    "number": ("minimum", "maximum"),
    "array": ("minItems", "maxItems"),
}


def annotations_of(parts: list[Part]) -> Published:
    """What is said about the value for people."""
    said = {each: value for each in ANNOTATIONS if (value := first(parts, each)) is not None}
    if not isinstance(said.get("examples", []), list):
        del said["examples"]
    return said


def bounds_of(parts: list[Part], kind: str) -> Published:
    """The limits of a value; not those that clients cannot have in a type of 64 bits."""
    return {
        each: value
        for each in BOUNDS.get(kind, ())
        if (value := first(parts, each)) is not None
        and (kind == "number" or (value == int(value) and abs(value) < 2**63))
    }


def scalar(parts: list[Part], kind: str) -> Published:
    """A value that is neither an object nor an array."""
    published: Published = {"type": kind}
    values = values_of(parts)
    if values is not None:
        own = [value for value in values if _is_a(kind, value)]
        if kind == "number" and all(_is_a("integer", value) for value in own):
            published["type"] = kind = "integer"
            own = [int(value) for value in own]
        # Generators have no enumerations of numbers with fractions, or of booleans.
        if kind in ("string", "integer"):
            published["enum"] = list(dict.fromkeys(own))
    if kind == "string":
        if first(parts, "format") in FORMATS and values is None:
            published["format"] = first(parts, "format")
    elif kind == "integer":
        published["format"] = "int64"  # else it has 32 bits in clients
    elif kind == "number":
        published["format"] = "double"
    return published if "enum" in published else published | bounds_of(parts, kind)


def union(alternatives: list[Published]) -> Published:
    """A value that matches at least one of these. It is not `oneOf`: published schemas are weaker
    than declared ones, so a value may match more of them."""
    kinds = [kind for each in alternatives for kind in _flat(each)]
    if {} in kinds or not kinds:
        return {}
    is_nullable = NULL in kinds
    others: list[Published] = []
    for each in kinds:
        if each != NULL and each not in others:
            others.append(each)
    others = _merged(others)
    if len(others) > 1:
        union_of = others + ([NULL] if is_nullable else [])
        return {"anyOf": union_of}
    if not others:
        return NULL
    return nullable(others[0]) if is_nullable else others[0]


def nullable(published: Published) -> Published:
    """The same, or null."""
    if not published or published.get("type") == "null":
        return published
    if "anyOf" in published:
        some = [each for each in published["anyOf"] if each != NULL]
        return {**published, "anyOf": [*some, NULL]}
    if isinstance(published.get("type"), str) and "enum" not in published:
        return {**published, "type": [published["type"], "null"]}
    if isinstance(published.get("type"), list):
        return published
    said = {each: published[each] for each in ANNOTATIONS if each in published}
    own = {key: value for key, value in published.items() if key not in said}
    return {"anyOf": [own, NULL]} | said


def is_union(published: Published) -> bool:
    """Whether it has more alternatives than one and null."""
    return len([each for each in published.get("anyOf", ()) if each != NULL]) > 1


def without_annotations(published: Published) -> Published:
    return {key: value for key, value in published.items() if key not in ANNOTATIONS}


def _flat(published: Published) -> list[Published]:
    """The alternatives of which this consists; null is one of its own."""
    published = without_annotations(published)
    if "anyOf" in published:
        return [kind for each in published["anyOf"] for kind in _flat(each)]
    if isinstance(types := published.get("type"), list):
        return [{**published, "type": kind} if kind != "null" else {"type": kind} for kind in types]
    return [published]


def _merged(alternatives: list[Published]) -> list[Published]:
    """At most one alternative of each type: clients cannot tell more of them apart, and some do not
    compile. Only objects with names may be many."""
    named = [each for each in alternatives if "$ref" in each]
    by_type: dict[str, list[Published]] = {}
    for each in alternatives:
        if "$ref" not in each:
            by_type.setdefault(each["type"], []).append(each)
    if "number" in by_type and "integer" in by_type:
        by_type["number"] += by_type.pop("integer")
    merged = [_merge(kind, each) for kind, each in by_type.items()]
    if named and "object" in by_type:
        return [each for each in merged if each["type"] != "object"] + [dict(ANY_OBJECT)]
    return named + merged


ANY_OBJECT: Published = {"type": "object", "additionalProperties": True}


def _merge(kind: str, alternatives: list[Published]) -> Published:
    if len(alternatives) == 1:
        return alternatives[0]
    if kind == "array":
        return {"type": "array", "items": union([each["items"] for each in alternatives])}
    if kind == "object":
        return dict(ANY_OBJECT)
    if all("enum" in each for each in alternatives):
        values = [value for each in alternatives for value in each["enum"]]
        return {**alternatives[0], "type": kind, "enum": list(dict.fromkeys(values))}
    formats = {"integer": {"format": "int64"}, "number": {"format": "double"}}
    return {"type": kind, **formats.get(kind, {})}


def _is_a(kind: str, value: Any) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    match kind:
        case "string":
            return isinstance(value, str)
        case "integer":
            return isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        case "number":
            return isinstance(value, int | float)
        case "null":
            return value is None
    return False
