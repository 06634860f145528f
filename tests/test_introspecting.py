"""`stuff introspect`: a file that declares what is in a database, which the service can serve."""

import json
import os
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any, Protocol

import bson
import pytest
from bson import ObjectId
from pymongo import MongoClient
from pymongo.database import Database

from service.cli import introspecting
from service.declarations import read_declarations
from service.settings import Settings
from tests.support.bson_values import VALUES
from tests.support.commands import stuff_here
from tests.support.shop import build


class Introspect(Protocol):
    def __call__(self, *arguments: str, **environment: str) -> CompletedProcess[str]: ...


@pytest.fixture
def database(mongo: MongoClient[dict[str, Any]], settings: Settings) -> Database[dict[str, Any]]:
    return mongo[settings.database]


@pytest.fixture
def introspect(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Introspect:
    """Runs the command in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    assert settings.mongodb_uri is not None
    own = {
        "STUFF_MONGODB_URI": settings.mongodb_uri.get_secret_value(),
        "STUFF_DATABASE": settings.database,
    }
    return lambda *arguments, **environment: stuff_here(
        "introspect", *arguments, **own | environment
    )


def declared(file: Path = Path("collections.json"), **settings: str) -> dict[str, Any]:
    """The entries of a file that the service can read."""
    read_declarations(Settings.model_validate({"collections": file} | settings))
    collections: dict[str, Any] = json.loads(file.read_text())["collections"]
    return collections


def test_every_collection_is_declared_or_said_to_be_skipped(
    database: Database[dict[str, Any]], introspect: Introspect
) -> None:
    build(database)
    done = introspect()
    assert (done.returncode, done.stdout) == (0, "")
    found = declared()
    assert {*found} == {"customers", "invoices_2026", "orders", "sessions"}
    assert {name: (each["name"], each["id"]) for name, each in found.items()} == {
        "customers": ("Customer", "objectid"),
        "invoices_2026": ("Invoices2026", "integer"),
        "orders": ("Order", "objectid"),
        "sessions": ("Session", "uuid"),
    }
    assert {each["metadata"] for each in found.values()} == {False}
    assert found["invoices_2026"]["mongodb"] == "Invoices.2026"
    assert found["customers"]["indexes"] == [
        {"keys": {"email": 1}, "name": "one_email", "unique": True}
    ]
    assert found["orders"]["indexes"] == [{"keys": {"customer": 1, "placed": -1}}]
    for name in ("archive", "drafts", "open_orders"):
        assert f"{name}: skipped. It is " in done.stderr
    assert "orders: 90 of 90 documents" in done.stderr
    said = "/schema/properties/total: Anything is allowed, but a string is stored as decimal."
    assert said in done.stderr
    assert "validator" in done.stderr
    assert "Left out" not in done.stderr


def test_the_schema_says_what_the_documents_of_all_versions_prove(
    database: Database[dict[str, Any]], introspect: Introspect
) -> None:
    build(database)
    introspect("--collection", "orders")
    schema = declared()["orders"]["schema"]
    assert schema["required"] == ["customer", "placed", "status", "total"]
    properties = schema["properties"]
    assert properties["placed"] == {"type": "string", "format": "date-time", "x-bson": "date"}
    assert properties["delivered"]["type"] == ["string", "null"]
    assert properties["total"]["$comment"] == "Seen: decimal 60, number 30."
    assert properties["total"]["x-bson"] == "decimal"
    assert {"string", "number"} < {*properties["total"]["type"]}
    assert properties["status"]["$comment"] == 'Seen: "new", "paid", "shipped".'
    line = properties["lines"]["items"]
    assert line["required"] == ["sku", "quantity", "price"]
    assert line["properties"]["price"]["x-bson"] == "decimal"


def test_only_reads(database: Database[dict[str, Any]], introspect: Introspect) -> None:
    build(database)
    before = {name: [*database[name].find()] for name in sorted(database.list_collection_names())}
    introspect()
    after = {name: [*database[name].find()] for name in sorted(database.list_collection_names())}
    assert after == before


def test_a_file_that_exists_is_kept_unless_told(
    database: Database[dict[str, Any]], introspect: Introspect, tmp_path: Path
) -> None:
    database.books.insert_one({"title": "Notes"})
    file = tmp_path / "own.json"
    file.write_text("mine")
    refused = introspect("--output", str(file))
    assert (refused.returncode, "--force" in refused.stderr) == (1, True)
    assert file.read_text() == "mine"
    assert introspect("--output", str(file), "--force").returncode == 0
    assert [*declared(file)] == ["books"]
    unwritable = introspect("--output", str(tmp_path / "none" / "file.json"))
    assert (unwritable.returncode, "No such file" in unwritable.stderr) == (1, True)


def test_collections_can_be_chosen(
    database: Database[dict[str, Any]], introspect: Introspect
) -> None:
    build(database)
    some = introspect("--collection", "customers", "--collection", "Invoices.2026", "--output", "-")
    assert {*json.loads(some.stdout)["collections"]} == {"customers", "invoices_2026"}
    assert not os.listdir()  # noqa: PTH208 (of where the command ran)
    for name, said in (("books", "no collection 'books'"), ("open_orders", "It is a view.")):
        refused = introspect("--collection", name)
        assert (refused.returncode, said in refused.stderr) == (1, True)


def test_a_file_has_no_more_collections_than_the_service_reads(
    database: Database[dict[str, Any]], introspect: Introspect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(introspecting, "MAX_COLLECTIONS", 2)
    for name in ("a", "b", "c"):
        database[name].insert_one({"x": 1})
    done = introspect()
    assert [*declared()] == ["a", "b"]
    assert "c: skipped. A file declares at most 2 collections." in done.stderr


def test_what_the_service_has_written_keeps_its_metadata(
    url: str, database: Database[dict[str, Any]], introspect: Introspect
) -> None:
    stuff_here("put", "ada", sent='{"born": 1815}', STUFF_URL=url)
    database.STUFF.insert_one({"born": 1815})
    assert introspect().returncode == 0
    found = declared()
    assert {*found} == {"stuff", "stuff_2"}
    assert not found["stuff"].keys() & {"metadata", "id", "mongodb"}
    assert found["stuff_2"]["mongodb"] == "STUFF"
    # Where `/stuff` is another collection.
    assert introspect("--force", STUFF_COLLECTION="STUFF").returncode == 0
    found = declared(collection="STUFF")
    assert found["stuff"]["metadata"] is False
    assert found["stuff_2"]["mongodb"] == "stuff"


def test_values_of_all_types_fit_what_is_written(
    database: Database[dict[str, Any]], introspect: Introspect
) -> None:
    values = {name: each for name, each in VALUES.items() if name != "far date"}  # not stored here
    database.values.insert_many({"_id": n, **values} for n in range(3))
    database.mixed.insert_many({"value": each} for each in values.values())
    database.listed.insert_one({"values": [*values.values()]})
    database.single.insert_many({"value": {name: each}} for name, each in values.items())
    done = introspect()
    assert done.returncode == 0
    assert "Left out" not in done.stderr
    assert {*declared()} == {"values", "mixed", "listed", "single"}


def test_hostile_names_are_shown_without_control_characters(
    database: Database[dict[str, Any]], introspect: Introspect
) -> None:
    raw = bson.encode(
        {"_id": ObjectId(), "a\x1b[31m": 1, "\x9b\u202e": 1, "$where": 2, "b.c": 3, "": 4, "d": 5}
    )
    database["odd\x1bname"].insert_one(bson.raw_bson.RawBSONDocument(raw))
    done = introspect()
    assert done.returncode == 0
    assert done.stderr.replace("\n", "").isprintable()
    [entry] = declared().values()
    assert entry["mongodb"] == "odd\x1bname"
    assert [*entry["schema"]["properties"]] == ["d"]


def test_a_database_without_collections_is_said_to_have_none(introspect: Introspect) -> None:
    refused = introspect()
    assert (refused.returncode, "no collection to declare" in refused.stderr) == (1, True)
    assert not Path("collections.json").exists()


def test_a_database_that_is_away_is_named_in_a_line(introspect: Introspect, free_port: int) -> None:
    uri = f"mongodb://127.0.0.1:{free_port}/?serverSelectionTimeoutMS=100"
    refused = introspect(STUFF_MONGODB_URI=uri, STUFF_SERVER_SELECTION_TIMEOUT="0.1")
    assert refused.returncode == 1
    assert "The connection is refused." in refused.stderr
