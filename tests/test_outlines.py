"""What the page knows of the collections: names, main fields, and where a new document starts."""

from pathlib import Path
from typing import Any

from service.documents.published import publish
from service.documents.published.outline import main_fields, template_of
from service.security import make_key
from tests.support.applications import Application
from tests.support.declaring import declare
from tests.support.problems import assert_problem
from tests.support.schemas import BOOK, FILES

COLLECTIONS = "/collections.json"
TEXT = {"type": "string"}


def outline(schema: dict[str, Any], **files: Any) -> tuple[list[str], dict[str, Any]]:
    components = publish("Book", schema, files, {})
    fields = components["BookFields"]
    return main_fields(fields, components), template_of(fields, components)


def test_main_fields_are_the_title_then_what_is_required() -> None:
    assert outline(BOOK, **FILES)[0] == ["title", "year", "id", "language"]
    properties = dict.fromkeys(("a", "b", "name", "c", "d"), TEXT) | {"o": {"type": "object"}}
    schema = {"type": "object", "properties": properties, "required": ["o", "c"]}
    assert outline(schema)[0] == ["name", "c", "a", "b"]


def test_a_field_of_any_type_is_no_main_field() -> None:
    properties = {"any": True, "list": {"type": "array"}, "either": {"type": ["string", "object"]}}
    schema = {"type": "object", "properties": properties, "required": ["any"]}
    assert outline(schema) == ([], {"any": None})


def test_a_template_has_what_is_required_and_no_more() -> None:
    address = {"type": "object", "properties": {"city": TEXT, "zip": TEXT}, "required": ["city"]}
    properties = {
        "title": TEXT,
        "n": {"type": ["integer", "null"]},
        "lent": {"type": "boolean"},
        "kind": {"const": "book"},
        "language": {"enum": ["en", "de", None]},
        "tags": {"type": "array", "items": TEXT},
        "addresses": {"type": "array", "items": {"$ref": "#/$defs/address"}, "minItems": 2},
        "address": {"$ref": "#/$defs/address"},
        "x": {"anyOf": [{"type": "null"}, {"type": "number"}]},
        "medium": {"oneOf": [TEXT, {"type": "object"}]},
    }
    schema = {
        "type": "object",
        "properties": properties | {"optional": TEXT},
        "required": list(properties),
        "$defs": {"address": address},
    }
    assert outline(schema)[1] == {
        "title": "", "n": 0, "lent": False, "kind": "book", "language": "en", "tags": [],
        "addresses": [{"city": ""}], "address": {"city": ""}, "x": 0, "medium": None,
    }  # fmt: skip


def test_a_template_of_what_requires_itself_ends() -> None:
    node = {"type": "object", "properties": {"a": {"$ref": "#"}, "b": {"$ref": "#"}}}
    _, template = outline(node | {"required": ["a", "b"]})
    assert template["a"]["b"]["a"]["b"] == {}
    many = {"type": "array", "items": {"$ref": "#"}, "minItems": 1}
    _, template = outline({"type": "object", "properties": {"a": many}, "required": ["a"]})
    assert template == {"a": [{"a": [{}]}]}


async def test_the_page_is_told_the_collections(application: Application, tmp_path: Path) -> None:
    schema = {"properties": {"title": TEXT}, "required": ["title"], "type": "object"}
    file = declare(tmp_path, books={"schema": schema}, notes={"read_only": True, "id": "uuid"})
    async with application(collections=file) as client:
        response = await client.get(COLLECTIONS)
        assert response.headers["content-type"] == "application/json"
        assert response.json() == [
            {
                "name": "stuff",
                "read_only": False,
                "id": "string",
                "main_fields": [],
                "template": {},
            },
            {
                "name": "books",
                "read_only": False,
                "id": "string",
                "main_fields": ["title"],
                "template": {"title": ""},
            },
            {"name": "notes", "read_only": True, "id": "uuid", "main_fields": [], "template": {}},
        ]
        assert COLLECTIONS not in (await client.get("/openapi.json")).json()["paths"]


async def test_with_keys_the_list_of_declared_collections_needs_one(
    application: Application, tmp_path: Path
) -> None:
    token, key = make_key(["write:books"])
    file = declare(tmp_path, books={})
    async with application(api_keys=str(key), collections=file) as client:
        refused = await client.get(COLLECTIONS)
        assert_problem(refused, 401, "unauthorized")
        assert "books" not in refused.text
        given = await client.get(COLLECTIONS, headers={"Authorization": f"Bearer {token}"})
        assert given.status_code == 200
    async with application(api_keys=str(key)) as client:
        assert (await client.get(COLLECTIONS)).status_code == 200
