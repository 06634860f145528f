"""Schemas as declarations may have them: a rich one by hand, and random ones with all keywords."""

from typing import Any

from hypothesis import strategies as st

FILES: dict[str, Any] = {
    "people.json": {
        "$defs": {
            "author": {
                "type": "object",
                "description": "Who wrote it.",
                "properties": {
                    "name": {"type": "string", "minLength": 1},
                    "born": {"type": ["integer", "null"]},
                    "teachers": {"type": "array", "items": {"$ref": "#/$defs/author"}},
                },
                "required": ["name"],
                "additionalProperties": False,
            }
        }
    }
}
BOOK: dict[str, Any] = {
    "title": "Book",
    "description": "A book of the library.",
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "The library's own number."},
        "title": {"type": "string", "minLength": 1},
        "year": {"type": "integer", "minimum": 1450, "maximum": 2100},
        "language": {"enum": ["en", "de", "fr", None]},
        "kind": {"const": "book"},
        "authors": {
            "type": "array",
            "items": {"$ref": "people.json#/$defs/author"},
            "minItems": 1,
        },
        "publisher": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "address": {
                    "type": "object",
                    "properties": {"city": {"type": "string"}, "zip": {"type": ["string", "null"]}},
                },
            },
            "required": ["name"],
        },
        "medium": {"oneOf": [{"$ref": "#/$defs/paper"}, {"$ref": "#/$defs/audio"}]},
        "bought": {"type": "string", "format": "date-time"},
        "ratings": {"type": "object", "additionalProperties": {"type": "number"}},
        "sequel": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        "shelf": {"type": ["string", "integer"]},
        "size": {"prefixItems": [{"type": "number"}, {"type": "number"}], "items": False},
        "lent": {"type": "boolean"},
        "notes": True,
    },
    "required": ["title", "year"],
    "additionalProperties": False,
    "if": {"properties": {"lent": {"const": True}}, "required": ["lent"]},
    "then": {"required": ["shelf"]},
    "$defs": {
        "paper": {
            "type": "object",
            "properties": {"form": {"const": "paper"}, "pages": {"type": "integer"}},
            "required": ["form", "pages"],
        },
        "audio": {
            "type": "object",
            "properties": {"form": {"const": "audio"}, "minutes": {"type": "number"}},
            "required": ["form", "minutes"],
        },
    },
    "examples": [{"title": "Notes", "year": 1843, "authors": [{"name": "Ada Lovelace"}]}],
}

KEYS = st.sampled_from(["a", "b", "c", "date"])
SCALARS = st.sampled_from([None, True, False, 0, 1, -1, 2.5, 1.0, "", "a", "b", "2026-11-25", "ü"])
VALUES = st.recursive(
    SCALARS, lambda some: st.lists(some, max_size=3) | st.dictionaries(KEYS, some, max_size=3)
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=4)
TYPES = st.sampled_from(
    ["object", "object", "array", "string", "number", "integer", "boolean", "null"]
)
SMALL = st.integers(0, 3)


def _of(some: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A schema of these, in all ways that there are."""
    named = st.dictionaries(KEYS, some, max_size=3)
    listed = st.lists(some, min_size=1, max_size=3)
    keywords = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=3, unique=True),
        "properties": named, "required": st.lists(KEYS, max_size=2, unique=True),
        "additionalProperties": some, "patternProperties": st.dictionaries(
            st.sampled_from(["^a", "b|c"]), some, max_size=2),
        "propertyNames": st.just({"maxLength": 1}), "minProperties": SMALL, "maxProperties": SMALL,
        "dependentRequired": st.just({"a": ["b"]}), "dependentSchemas": named,
        "items": some, "prefixItems": listed, "contains": some, "uniqueItems": st.booleans(),
        "minItems": SMALL, "maxItems": SMALL, "unevaluatedProperties": some,
        "unevaluatedItems": some, "allOf": listed, "anyOf": listed, "oneOf": listed, "not": some,
        "if": some, "then": some, "else": some, "const": VALUES,
        "enum": st.lists(VALUES, min_size=1, max_size=3), "minimum": SMALL, "maximum": SMALL,
        "exclusiveMinimum": SMALL, "multipleOf": st.sampled_from([1, 0.5]), "minLength": SMALL,
        "maxLength": SMALL, "pattern": st.just("^[a-b]?"), "format": st.sampled_from(
            ["date", "uuid", "ipv4"]),
        "$ref": st.sampled_from(["#", "#/$defs/a", "#/$defs/b", "people.json#/$defs/author"]),
    }  # fmt: skip
    return st.lists(st.sampled_from(sorted(keywords)), max_size=4, unique=True).flatmap(
        lambda chosen: st.fixed_dictionaries({each: keywords[each] for each in chosen})
    )


_ANY = st.recursive(st.booleans() | _of(st.booleans()), _of, max_leaves=8)
SCHEMAS = st.builds(
    lambda schema, a, b: {**schema, "$defs": {"a": a, "b": b}}, _of(_ANY), _ANY, _ANY
)
