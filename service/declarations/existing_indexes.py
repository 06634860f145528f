"""Indexes that a collection has, as the file of declarations may name them."""

import json
from collections.abc import Mapping
from typing import Any

from service.declarations.indexes import Index

_OPTIONS = ("unique", "sparse", "partialFilterExpression", "expireAfterSeconds")
_SILENT = {"v", "ns", "key", "name", "background"}


def declared(name: str, description: Mapping[str, Any]) -> Index:
    """The index, as the driver describes it: its `key` is a list of fields and directions.

    Raises `ValueError`, whose text says why the file cannot have it.
    """
    keys: dict[str, Any] = {}
    for path, direction in description["key"]:
        if direction not in (1, -1) or "$**" in path:
            raise ValueError(f"is of a kind that the file cannot have ({path}: {direction})")
        keys[path] = int(direction)
    options = {key: value for key, value in description.items() if value is not False}
    if others := [key for key in options if key not in (*_OPTIONS, *_SILENT)]:
        raise ValueError(f"has options that the file cannot have ({', '.join(others)})")
    found = {key: options[key] for key in _OPTIONS if key in options}
    try:
        json.dumps(found, allow_nan=False)
    except (TypeError, ValueError):
        raise ValueError("has values that JSON cannot have") from None
    if name != "_".join(f"{path}_{direction}" for path, direction in keys.items()):
        found["name"] = name
    return Index(keys=keys, **found)
