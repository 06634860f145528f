"""The file of collections, as `service.declarations` reads it."""

import json
from typing import Any

from docs._reference.markdown import code, codes, document, table
from service.declarations import DEFAULT, RESERVED, file_schema

INTRODUCTION = f"""\
`STUFF_COLLECTIONS` names a JSON file that declares collections. Each is served at its own path,
`/books` and `/books/{{id}}`, and does what `/stuff` does. `/{DEFAULT}` is always served, with or
without an entry in the file. [The tutorial](../tutorial.md#your-own-fields) shows such a file in
use; [Collections](../explanation/collections.md) says what they share. For a database that exists,
`stuff introspect` [writes the file](../how-to/existing-database.md). Editors that know JSON Schema
help with it, if the file names [its schema](collections.schema.json) in `$schema`.

The file is read when the service starts, and again at `SIGHUP`."""

FAULTS = f"""\
## What is refused

A file with a fault ends the start of the service, with a line for each fault and its place
(`collections.json#/collections/books/mongodb`). It is a fault

- to use a key that is not in these tables,
- to give a collection a name that is not a lower-case letter followed by up to 62 lower-case
  letters, digits and underscores, or that is reserved: {codes(sorted(RESERVED))},
- to keep two collections in the same collection of MongoDB,
- to give two collections types or operations of the same name,
- to give a schema that is none, that requires `_id` or `_stuff`, that refers to anything but files
  in the folder of this file or below it, or whose check could take longer than the bytes of a
  document justify ([which these are](../explanation/collections.md#schemas)),
- to say `mongodb` or `indexes` of `{DEFAULT}` both here and in `STUFF_COLLECTION` or
  `STUFF_INDEXES`."""


def schema() -> str:
    """The JSON Schema of the file, which editors know by its `$schema`."""
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(head | file_schema(), indent=2) + "\n"


def page() -> str:
    declared = file_schema()
    definitions = declared["$defs"]
    return document(
        "The file of collections",
        INTRODUCTION,
        "## The file",
        _keys(declared),
        "## A collection",
        _keys(definitions["Entry"]),
        "## An index",
        _keys(definitions["Index"]),
        FAULTS,
    )


def _keys(schema: dict[str, Any]) -> str:
    required = schema.get("required", [])
    rows = [
        [code(key), _value(member), _default(key in required, member), member["description"]]
        for key, member in schema["properties"].items()
    ]
    return table(["key", "value", "default", "meaning"], rows)


def _value(member: dict[str, Any]) -> str:
    if "const" in member:
        return code(member["const"])
    if "enum" in member:
        return codes(member["enum"])
    names = {
        "string": "text",
        "boolean": "true or false",
        "integer": "whole number",
        "array": "array",
        "object": "object",
    }
    [kind] = {each["type"] for each in member.get("anyOf", [member])} - {"null"}
    return names[kind]


def _default(required: bool, member: dict[str, Any]) -> str:
    if required:
        return "required"
    default = member.get("default")
    if isinstance(default, str):
        return code(default)
    return code(str(default).lower()) if isinstance(default, bool) else ""
