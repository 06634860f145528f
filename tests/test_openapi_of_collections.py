"""The OpenAPI document of declared collections."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from service.application import create_app
from service.settings import Settings
from tests.support.commands import stuff_here
from tests.support.declaring import declare
from tests.support.schemas import BOOK, FILES


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("declared")
    for name, schema in FILES.items():
        (folder / name).write_text(json.dumps(schema))
    return declare(folder, books={"name": "Book", "schema": BOOK}, things={"name": "Thing"})


@pytest.fixture(scope="module")
def document(file: Path) -> dict[str, Any]:
    return create_app(Settings(collections=file)).openapi()


def schema_of(content: dict[str, Any]) -> str:
    name: str = content["schema"]["$ref"].removeprefix("#/components/schemas/")
    return name


def test_the_document_is_valid_and_the_rest_of_it_is_unchanged(document: dict[str, Any]) -> None:
    validate(document)
    plain = create_app(Settings()).openapi()
    # A commit can be about every collection, and so violate every schema.
    of_commits = plain["paths"]["/commit"]["post"]["responses"]
    of_commits["422"] = document["paths"]["/commit"]["post"]["responses"]["422"]
    for path, operations in plain["paths"].items():
        assert document["paths"][path] == operations
    for name, schema in plain["components"]["schemas"].items():
        assert document["components"]["schemas"][name] == schema


def test_each_type_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    """openapi-python-client names types after their titles, and drops those named twice."""
    schemas = document["components"]["schemas"]
    assert {name: schema.get("title", name) for name, schema in schemas.items()} == {
        name: name for name in schemas
    }


def test_operations_are_named_after_the_document(document: dict[str, Any]) -> None:
    one, all_of_them = document["paths"]["/books/{id}"], document["paths"]["/books"]
    assert {method: each["operationId"] for method, each in one.items()} == {
        "get": "get_book", "head": "head_book", "put": "put_book", "patch": "patch_book",
        "delete": "delete_book", "options": "options_book",
    }  # fmt: skip
    assert {method: each["operationId"] for method, each in all_of_them.items()} == {
        "get": "list_books", "head": "head_all_books", "post": "create_book",
        "delete": "delete_all_books", "options": "options_all_books",
    }  # fmt: skip
    assert {tag for each in one.values() for tag in each["tags"]} == {"books"}
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    assert list(tags) == ["documents", "commits", "books", "things", "system"]


def test_bodies_have_one_media_type_and_the_types_of_the_schema(document: dict[str, Any]) -> None:
    one, all_of_them = document["paths"]["/books/{id}"], document["paths"]["/books"]
    for operation, status, name in (
        (one["get"], "200", "Book"),
        (one["put"], "2XX", "Book"),
        (one["patch"], "200", "Book"),
        (all_of_them["get"], "200", "BookPage"),
        (all_of_them["post"], "201", "BookCreated"),
    ):
        [(form, content)] = operation["responses"][status]["content"].items()
        assert (form, schema_of(content)) == ("application/json", name)
    for operation in (one["put"], all_of_them["post"]):
        [(form, content)] = operation["requestBody"]["content"].items()
        assert (form, schema_of(content)) == ("application/json", "BookFields")
        assert content["example"] == BOOK["examples"][0]
        assert operation["description"].startswith("Stores a document that matches `BookFields`")
    first = next(iter(one["patch"]["requestBody"]["content"].items()))
    assert (first[0], schema_of(first[1])) == ("application/merge-patch+json", "BookPatch")
    schemas = document["components"]["schemas"]
    items = schemas["BookPage"]["properties"]["items"]["items"]
    assert items == {"$ref": "#/components/schemas/Book"}
    assert schemas["Book"]["properties"]["_stuff"] == {"$ref": "#/components/schemas/Metadata"}


def test_typed_operations_have_no_view_and_no_feed(document: dict[str, Any]) -> None:
    for path in ("/books", "/books/{id}"):
        for operation in document["paths"][path].values():
            names = {each["name"] for each in operation.get("parameters", ())}
            assert names.isdisjoint({"fields", "last_event_id", "Last-Event-ID"})
            for each in operation.get("parameters", ()):
                assert each["name"] != "meta" or each["example"] is True
            assert "text/event-stream" not in json.dumps(operation["responses"])


def test_examples_name_the_collection_and_say_the_entity_tag(document: dict[str, Any]) -> None:
    put = document["paths"]["/books/{id}"]["put"]["responses"]["201"]
    assert put["headers"]["Location"]["example"] == "/books/ada"
    got = document["paths"]["/books/{id}"]["get"]["responses"]["200"]["content"]
    assert got["application/json"]["example"]["_stuff"]["etag"]


def test_a_collection_without_a_schema_has_documents_of_any_shape(document: dict[str, Any]) -> None:
    get = document["paths"]["/things/{id}"]["get"]
    assert get["operationId"] == "get_thing"
    assert schema_of(get["responses"]["200"]["content"]["application/json"]) == "Document"


def test_the_document_is_written_without_a_database(file: Path, tmp_path: Path) -> None:
    target = tmp_path / "openapi.json"
    result = stuff_here("openapi", str(target), "--collections", str(file))
    assert result.returncode == 0, result.stderr
    assert "/books/{id}" in json.loads(target.read_text())["paths"]


def test_writes_that_a_schema_checks_declare_its_violation(document: dict[str, Any]) -> None:
    declaring = {
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
        if "schema-violation" in json.dumps(operation["responses"])
    }
    assert declaring == {"put_book", "patch_book", "create_book", "commit"}
    unprocessable = document["paths"]["/books/{id}"]["put"]["responses"]["422"]
    assert schema_of(unprocessable["content"]["application/problem+json"]) == "Problem"
    problem = document["components"]["examples"]["schema-violation"]["value"]
    assert problem["errors"][0] == {"pointer": "/year", "detail": "Give an integer."}


def test_what_no_operation_uses_is_left_out(tmp_path: Path) -> None:
    file = declare(tmp_path, stuff={"name": "Thing", "schema": {"properties": {"n": True}}})
    document = create_app(Settings(collections=file)).openapi()
    validate(document)
    assert [tag["name"] for tag in document["tags"]] == ["commits", "stuff", "system"]
    text = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in text
    assert "ThingPage" in document["components"]["schemas"]
    assert "DocumentPage" not in document["components"]["schemas"]
