"""References from one schema to another: which files a schema needs."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Resources: TypeAlias = Mapping[str, Any]
"""Schemas by their URI, without a fragment."""

BASE = "https://collections.invalid/"
"""What the names of files are relative to. Nothing is fetched from there."""

_OF_VALUES = frozenset({"const", "default", "enum", "examples"})
"""Keywords whose values are no schemas, whatever they look like."""


def references(
    schema: Any, path: tuple[str | int, ...] = ()
) -> Iterator[tuple[str, list[str | int]]]:
    """The references to other resources in a schema, without their fragments, and their places."""
    if isinstance(schema, list):
        for index, each in enumerate(schema):
            yield from references(each, (*path, index))
    elif isinstance(schema, dict):
        for key, each in schema.items():
            if key in ("$ref", "$dynamicRef") and isinstance(each, str):
                target = each.partition("#")[0]
                if target:
                    yield target, [*path, key]
            elif key not in _OF_VALUES:
                yield from references(each, (*path, key))


def is_relative(reference: str) -> bool:
    """Whether this is the name of a file beside."""
    parts = urlsplit(reference)
    return not (parts.scheme or parts.netloc or parts.path.startswith("/"))
