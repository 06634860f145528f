"""The members of objects: which have names that a schema can list, and which are entries of a map,
whose names are data.

A map such as `{"65f0c0ffee...": 3, "65f0c0fff0...": 5}` would fill a schema with names that no
other document has, and a document with a new name would not be described by it.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Any, TypeAlias

from service.documents.inference.kinds import kinds_of

MAX_NAMED = 200
"""Members that an object may have in a schema."""
MAX_NAME = 100
"""Characters of the name of a member in a schema."""
MAP_NAMES = 20
"""So many names that few objects have make a map, if their values are of one kind."""
RARE = 10
"""A name is rare if less than one object of so many has it."""
REFERENCE = "$id"
"""The id in a reference to another document (`{"$ref": "customers", "$id": ...}`), whose type is to
be kept. https://www.mongodb.com/docs/manual/reference/database-references/#dbrefs"""
REPLACEMENT = "\ufffd"
"""What stands for bytes that are not UTF-8."""

Values: TypeAlias = list[Any]

_GENERATED = re.compile(
    r"[0-9]+"
    r"|[0-9a-f]{24}"  # an ObjectId
    r"|[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
    r"|[0-9]{4}-[0-9]{2}(-[0-9]{2})?"  # a month or a day
)


@dataclass(frozen=True, slots=True)
class Members:
    """The values of members."""

    named: dict[str, Values]
    """By their names."""
    entries: Values | None
    """Of a map; None if the objects are no maps."""
    unnamed: list[str]
    """Names that a schema should not list, of objects that are no maps."""


def members_of(objects: list[dict[str, Any]]) -> Members:
    columns: dict[str, Values] = {}
    for each in objects:
        for name, value in each.items():
            if name in columns:
                columns[name].append(value)
            else:
                columns[name] = [value]
    named = {name: values for name, values in columns.items() if _is_plain(name)}
    unnamed = [name for name in columns if name not in named]
    entries = _entries(named, unnamed, len(objects))
    if entries is None:
        return Members(named, None, unnamed)
    values = [
        value
        for name, column in columns.items()
        if name in entries or name not in named
        for value in column
    ]
    return Members({name: named[name] for name in named if name not in entries}, values, [])


def _entries(named: dict[str, Values], unnamed: list[str], objects: int) -> set[str] | None:
    """The names that are data, beside all that are `unnamed`; None if the objects are no maps."""
    if all(map(_GENERATED.fullmatch, named)):
        return {*named} if named or unnamed else None
    rare = {name for name, values in named.items() if len(values) * RARE < objects}
    if len(rare) >= MAP_NAMES and len(_kinds(named, rare) - {"null"}) <= 1:
        return rare
    if len(named) > MAX_NAMED:
        return rare or set(named)
    return None


def _kinds(named: dict[str, Values], names: set[str]) -> set[str]:
    kinds = kinds_of(value for name in names for value in named[name])
    return {"number" if kind == "integer" else kind for kind in kinds}


def _is_plain(name: str) -> bool:
    """Whether a path can lead to the member, and a program can have it as a name."""
    return (
        0 < len(name) <= MAX_NAME
        and (not name.startswith("$") or name == REFERENCE)
        and "." not in name
        and REPLACEMENT not in name
        # isprintable is the fast check: no control character is printable.
        and (name.isprintable() or "Cc" not in map(unicodedata.category, name))
    )
