"""The file of collections: what it declares, and its faults, each with its place."""

import asyncio
import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from pymongo import MongoClient

from service.application import create_app
from service.declarations import PLAIN_NAMES, PLAIN_OPERATIONS, file_schema, read_declarations
from service.errors import ConfigurationError
from service.mongo.database import check_database
from service.settings import Settings
from tests.support.applications import Application
from tests.support.declaring import declare
from tests.support.patience import TIMEOUT

YEARS = [{"keys": {"year": 1, "_id": 1}}]


@pytest.mark.parametrize(
    ("collections", "fault"),
    [
        ({"Books": {}}, "collections.json#/collections/Books"),
        ({"metrics": {}}, "collections.json#/collections/metrics: The name is reserved."),
        ({"books": {"colour": 1}}, "collections.json#/collections/books/colour"),
        ({"books": {"mongodb": "a$b"}}, "collections.json#/collections/books/mongodb"),
        (
            {"books": {"mongodb": "x"}, "notes": {"mongodb": "x"}},
            "'x' already. Choose another `mongodb`.",
        ),
        ({"books": {"mongodb": "stuff"}}, "'stuff' are in 'stuff' already"),
        ({"books": {"indexes": [{"keys": {}}]}}, "indexes/0/keys: Give at least 1 entry."),
        (
            {"books": {"indexes": [{"keys": {"a": 1}}, {"keys": {"a": 1}, "unique": True}]}},
            "books/indexes: Two indexes have the name a_1. Give one another `name`.",
        ),
        (
            {"books": {"schema": {"type": ["array", "string"]}}},
            'books/schema/type: A document is an object. Give "object".',
        ),
        (
            {"books": {"schema": {"$schema": "http://json-schema.org/draft-07/schema#"}}},
            "books/schema/$schema: Schemas are of JSON Schema 2020-12: https://json-schema.org/",
        ),
        ({"a/b~": {}}, "collections.json#/collections/a~1b~0: "),
        ({"books": {"read_only": "yes"}}, "/collections/books/read_only: Give true or false."),
        ({"books": {"name": "a book"}}, "/collections/books/name: Give a text that matches "),
        ({"books": {"id": "number"}}, "collections.json#/collections/books/id: "),
        ({"books": {"metadata": 1}}, "/collections/books/metadata: Give true or false."),
        ({"books": {"schema": True}}, "/collections/books/schema: Give an object."),
        ({"books": {"name": "A"}, "notes": {"name": "A"}}, "'books' has an operation get_a"),
        ({"books": {"name": "Collection"}}, "'stuff' has an operation options_collection already"),
        ({"books": {"name": "Document", "schema": {}}}, "'stuff' has a type Document already"),
        ({f"c{n}": {} for n in range(101)}, "collections.json#/collections: Give at most 100"),
    ],
)
def test_a_fault_of_the_file_is_named_with_its_place(
    tmp_path: Path, collections: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        read_declarations(Settings(collections=declare(tmp_path, **collections)))
    assert str(refused.value).startswith("STUFF_COLLECTIONS: ")
    assert fault in str(refused.value)


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    file = declare(tmp_path, books={"x": 1, "y": 1}, Notes={})
    with pytest.raises(ConfigurationError) as refused:
        read_declarations(Settings(collections=file))
    assert len(str(refused.value).splitlines()) == 3


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{", "collections.json#: "),
        ('{"version": 1, "collections": {"a": {}, "a": {}}}', "#/collections/a: The key appears"),
        ("[" * 5000, "Nested more than 100 levels deep."),
        (" " * 2**20 + "{}", "more than 1,048,576 bytes"),
        ("[]", "collections.json#: Give an object."),
        ("{}", "collections.json#/version: It is missing."),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    file = tmp_path / "collections.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        read_declarations(Settings(collections=file))
    assert fault in str(refused.value)


def test_names_of_types_and_operations_that_belong_to_no_collection_are_known() -> None:
    document = create_app(Settings()).openapi()
    assert document["components"]["schemas"].keys() | {"Metadata"} == PLAIN_NAMES
    operations = [each for path in document["paths"].values() for each in path.values()]
    known = {each["operationId"] for each in operations if "operationId" in each}
    assert known == PLAIN_OPERATIONS


def test_the_schema_of_the_file_agrees_with_its_reader(tmp_path: Path) -> None:
    validator = jsonschema_rs.validator_for(file_schema())
    for collections, is_right in (
        ({}, True),
        ({"books": {}}, True),
        ({"books": {"name": "Book", "schema": {"$ref": "a.json"}, "read_only": True}}, True),
        ({"books": {"mongodb": "x", "indexes": YEARS}}, True),
        ({"books": {"id": "objectid", "metadata": False}}, True),
        ({"Books": {}}, False),
        ({"books": {"colour": 1}}, False),
        ({"books": {"read_only": "yes"}}, False),
        ({"books": {"name": "a book"}}, False),
        ({"books": {"id": "number"}}, False),
    ):
        (tmp_path / "a.json").write_text("{}")
        file = declare(tmp_path, **collections)
        content = json.loads(file.read_text()) | {"$schema": "collections.schema.json"}
        file.write_text(json.dumps(content))
        assert validator.is_valid(content) == is_right, collections
        with nullcontext() if is_right else pytest.raises(ConfigurationError):
            read_declarations(Settings(collections=file))


def test_stuff_is_always_served_and_declared_in_one_place(tmp_path: Path) -> None:
    file = declare(tmp_path, books={}, stuff={"read_only": True})
    declared = read_declarations(Settings(collections=file, collection="old"))
    assert list(declared) == ["stuff", "books"]
    assert (declared["stuff"].mongodb, declared["stuff"].read_only) == ("old", True)
    file = declare(tmp_path, stuff={"mongodb": "new"})
    assert read_declarations(Settings(collections=file))["stuff"].mongodb == "new"
    with pytest.raises(ConfigurationError, match=r"STUFF_COLLECTION: .* in one place"):
        read_declarations(Settings(collections=file, collection="old"))


async def test_the_declared_indexes_are_created_in_their_collection(
    application: Application,
    settings: Settings,
    mongo: MongoClient[dict[str, Any]],
    tmp_path: Path,
) -> None:
    file = declare(tmp_path, books={"indexes": YEARS}, notes={})
    database = mongo[settings.database]
    async with application(collections=file) as client:
        for name in ("books", "notes", "stuff"):
            await client.put(f"/{name}/a", json={})
        async with asyncio.timeout(TIMEOUT):
            while "year_1__id_1" not in database["books"].index_information():
                await asyncio.sleep(0.01)
        for name in ("notes", "stuff"):
            assert list(database[name].index_information()) == ["_id_"]


async def test_a_declared_collection_with_a_collation_ends_the_start(
    settings: Settings, mongo: MongoClient[dict[str, Any]]
) -> None:
    assert settings.mongodb_uri is not None
    mongo[settings.database].create_collection("books", collation={"locale": "en"})
    with pytest.raises(ConfigurationError, match=r"STUFF_COLLECTIONS: .*'books'"):
        await check_database(settings, settings.mongodb_uri.get_secret_value(), ["stuff", "books"])
