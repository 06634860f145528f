"""Published schemas of single values, and of what may be null."""

from typing import Any, TypeAlias

from service.documents.published.names import have_names
from service.documents.published.shapes import Part, first, values_of

Published: TypeAlias = dict[str, Any]

NULL: Published = {"type": "null"}
ANY_OBJECT: Published = {"type": "object", "additionalProperties": True}

ANNOTATIONS = ("description", "deprecated", "examples")
FORMATS = frozenset({"date-time", "date", "uuid", "uri", "email"})
"""Those that generators know and that mean the same to them."""
BY_TYPE: dict[str, Published] = {
    "date": {"format": "date-time"},
    "uuid": {"format": "uuid"},
    # The first is what generators know, the second what JSON Schema says.
    "binary": {"format": "byte", "contentEncoding": "base64"},
}
"""What is known of a string by the type as which it is stored (`x-bson`)."""
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
        own = list(dict.fromkeys(own))
        # Generators have no enumerations of numbers with fractions, or of booleans.
        if kind == "integer" or (kind == "string" and have_names(own)):
            published["enum"] = own
    if kind == "string" and values is None:
        published |= BY_TYPE.get(first(parts, "x-bson"), {})
        if first(parts, "format") in FORMATS:
            published["format"] = first(parts, "format")
    elif kind == "integer":
        published["format"] = "int64"  # else it has 32 bits in clients
    elif kind == "number":
        published["format"] = "double"
    return published if "enum" in published else published | bounds_of(parts, kind)


def nullable(published: Published) -> Published:
    """The same, or null."""
    if not published or published == NULL or "anyOf" in published:
        return published  # null is among them
    if isinstance(published.get("type"), str) and "enum" not in published:
        return {**published, "type": [published["type"], "null"]}
    if isinstance(published.get("type"), list):
        return published
    said = {each: published[each] for each in ANNOTATIONS if each in published}
    own = {key: value for key, value in published.items() if key not in said}
    return {"anyOf": [own, NULL]} | said


def plain(published: Published) -> Published:
    """The same, or anything where it can only be null: Go and Rust have no type for that."""
    return {} if without_annotations(published) == NULL else published


def without_annotations(published: Published) -> Published:
    return {key: value for key, value in published.items() if key not in ANNOTATIONS}


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
