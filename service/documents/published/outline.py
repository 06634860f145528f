"""What a page for people shows of a schema: the main fields, and where a new document starts."""

from collections.abc import Mapping
from typing import Any

from service.documents.published.values import Published

MAX_FIELDS = 4
"""Beside the id, in a table."""
FIRST = ("title", "name")
"""The fields that tell one document from another, if there are such."""
MAX_DEPTH = 3
SCALARS = frozenset({"string", "integer", "number", "boolean"})
BLANKS: dict[str, Any] = {"string": "", "integer": 0, "number": 0, "boolean": False}


def main_fields(published: Published, components: Mapping[str, Published]) -> list[str]:
    """The names of the first fields of a document that are neither objects nor arrays: a title, the
    required ones, then the others, up to `MAX_FIELDS`."""
    required = published.get("required", ())
    names = [
        name
        for name, member in published.get("properties", {}).items()
        if _is_scalar(member, components)
    ]
    names.sort(key=lambda name: (name not in FIRST, name not in required))
    return names[:MAX_FIELDS]


def template_of(
    published: Published, components: Mapping[str, Published], depth: int = 0
) -> dict[str, Any]:
    """An object with its required members, each of the right type and as empty as it can be. Below
    some levels, objects and arrays are empty."""
    if depth > MAX_DEPTH:
        return {}
    required = published.get("required", ())
    return {
        name: _blank(member, components, depth)
        for name, member in published.get("properties", {}).items()
        if name in required
    }


def _blank(published: Published, components: Mapping[str, Published], depth: int) -> Any:
    published = _target(published, components)
    if published.get("enum"):
        return published["enum"][0]
    if "anyOf" in published:
        return _blank(published["anyOf"][0], components, depth)
    types = _types_of(published, components)
    match types[0] if types else "null":
        case "object":
            return template_of(published, components, depth + 1)
        case "array":
            is_needed = published.get("minItems", 0) > 0 and depth < MAX_DEPTH
            return [_blank(published["items"], components, depth + 1)] if is_needed else []
        case kind:
            return BLANKS.get(kind)


def _is_scalar(published: Published, components: Mapping[str, Published]) -> bool:
    types = set(_types_of(published, components)) - {"null"}
    return bool(types) and types <= SCALARS


def _types_of(published: Published, components: Mapping[str, Published]) -> list[str]:
    """Its types; none if it may have any."""
    published = _target(published, components)
    if "anyOf" in published:
        return [kind for each in published["anyOf"] for kind in _types_of(each, components)]
    types = published.get("type", [])
    return [types] if isinstance(types, str) else types


def _target(published: Published, components: Mapping[str, Published]) -> Published:
    if "$ref" in published:
        return components.get(published["$ref"].rpartition("/")[2], {})
    return published
