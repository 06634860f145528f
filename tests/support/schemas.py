"""A schema as declarations may have it, with a file that it refers to."""

from typing import Any

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
