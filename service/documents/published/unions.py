"""What is published of a value that matches one of several schemas.

It is one type that has what all of them have in common. Generators do not agree on unions: that for
Rust takes `anyOf` for `allOf`, and cannot read what it writes if there is a discriminator; that for
Go fails if more than one branch matches; that for PHP loses what is not an object.
"""

from collections.abc import Mapping

from service.documents.published.names import have_names
from service.documents.published.values import (
    ANY_OBJECT,
    NULL,
    Published,
    nullable,
    without_annotations,
)


def union(
    alternatives: list[Published], components: Mapping[str, Published]
) -> tuple[Published, bool]:
    """What matches at least one of these, and whether that may also be null."""
    flat = [each for alternative in alternatives for each in _flat(alternative)]
    some = [each for each in flat if each != NULL]
    is_nullable = NULL in flat
    if {} in some or not flat:
        return {}, False
    if not some:
        return NULL, False
    if all(each == some[0] for each in some):
        return some[0], is_nullable
    targets = [_target(each, components) for each in some]
    kinds = {each.get("type") for each in targets}
    if None in kinds:
        return {}, False
    if kinds == {"object"}:
        return merged(targets), is_nullable
    if kinds == {"array"}:
        items, may_be_null = union([each["items"] for each in targets], components)
        is_plain = not may_be_null and "properties" not in items
        return {"type": "array", "items": items if is_plain else {}}, is_nullable
    if kinds <= {"integer", "number"} or len(kinds) == 1:
        return _scalar("number" if "number" in kinds else str(kinds.pop()), targets), is_nullable
    return {}, False


def merged(objects: list[Published]) -> Published:
    """An object that matches at least one of these."""
    if not all("properties" in each for each in objects):
        return dict(ANY_OBJECT)
    names = list(dict.fromkeys(name for each in objects for name in each["properties"]))
    required = [name for name in names if all(name in each.get("required", ()) for each in objects)]
    made: Published = {
        "type": "object",
        "properties": {name: _member(name, objects) for name in names},
    }
    if required:
        made["required"] = required
    if any("additionalProperties" in each for each in objects):
        made["additionalProperties"] = True
    return made


def _member(name: str, objects: list[Published]) -> Published:
    schemas = [each["properties"].get(name) for each in objects]
    if any(
        schema is None and "additionalProperties" in each
        for schema, each in zip(schemas, objects, strict=True)
    ):
        return {}
    said = [each for each in schemas if each is not None]
    one, is_nullable = union(said, {})
    if "properties" in one:
        return said[0] if all(each == said[0] for each in said) else {}
    return nullable(one) if is_nullable else one


def _flat(published: Published) -> list[Published]:
    """The alternatives of which this consists; null is one of its own."""
    published = without_annotations(published)
    if "anyOf" in published:
        return [kind for each in published["anyOf"] for kind in _flat(each)]
    if isinstance(types := published.get("type"), list):
        return [NULL if kind == "null" else {**published, "type": kind} for kind in types]
    return [published]


def _target(published: Published, components: Mapping[str, Published]) -> Published:
    """The component itself; nothing about it is known while it is being made."""
    if "$ref" not in published:
        return published
    return without_annotations(components.get(published["$ref"].rpartition("/")[2], {}))


def _scalar(kind: str, alternatives: list[Published]) -> Published:
    made: Published = {"type": kind}
    if kind == "number":
        made["format"] = "double"
    elif kind == "integer":
        made["format"] = "int64"
    if kind != "number" and all("enum" in each for each in alternatives):
        values = list(dict.fromkeys(value for each in alternatives for value in each["enum"]))
        if kind != "string" or have_names(values):
            made["enum"] = values
    return made
