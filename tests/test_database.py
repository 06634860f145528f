"""The database: what is stored, how durably, and the documents of other programs."""

from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from fastapi import FastAPI
from httpx import AsyncClient
from pymongo.collection import Collection

from service.application import create_app
from service.mongo.model import StuffDocument
from service.settings import Settings
from tests.support.applications import Application
from tests.support.patience import TIMEOUT
from tests.support.problems import assert_problem

Documents = Collection[dict[str, Any]]


async def test_what_is_stored_is_the_id_the_fields_and_the_metadata(
    client: AsyncClient, collection: Documents
) -> None:
    before = datetime.now(UTC)
    stored = await client.put("/stuff/ada", json={"name": "Ada", "born": 1815})
    document = collection.find_one({"_id": "ada"})
    assert document is not None
    assert list(document) == ["_id", "name", "born", "_stuff"]
    assert document["_stuff"].keys() == {"etag", "updated_at"}
    assert stored.headers["etag"] == f'"{document["_stuff"]["etag"]}"'
    age = document["_stuff"]["updated_at"].replace(tzinfo=UTC) - before
    assert -1 < age.total_seconds() < 60


async def test_documents_of_another_program_can_be_used_in_every_way(
    client: AsyncClient, collection: Documents
) -> None:
    collection.insert_one({"_id": "old", "name": "Ada"})
    found = await client.get("/stuff/old")
    assert found.json() == {"_id": "old", "name": "Ada"}
    assert "last-modified" not in found.headers
    replaced = await client.put("/stuff/old", json={"name": "Ada"})
    assert replaced.status_code == 200
    assert replaced.headers["etag"] == found.headers["etag"]
    assert (await client.delete("/stuff/old")).status_code == 204


@pytest.mark.parametrize("stale", [{"etag": "0"}, "text", None, 1, [], {"updated_at": 1}])
async def test_a_stale_stuff_is_not_trusted(
    client: AsyncClient, collection: Documents, stale: Any
) -> None:
    tag = (await client.put("/stuff/a", json={"x": 1})).headers["etag"]
    collection.update_one({"_id": "a"}, {"$set": {"x": 2}})
    changed = await client.get("/stuff/a")
    assert changed.headers["etag"] != tag
    assert "last-modified" not in changed.headers
    collection.replace_one({"_id": "a"}, {"_stuff": stale, "x": 1}, upsert=True)
    again = await client.get("/stuff/a")
    assert again.json() == {"_id": "a", "x": 1}
    assert again.headers["etag"] == tag


async def test_types_that_json_lacks_are_extended_json(
    client: AsyncClient, collection: Documents
) -> None:
    oid = bson.ObjectId("65f000000000000000000000")
    values: dict[str, tuple[Any, Any]] = {
        "oid": (oid, {"$oid": str(oid)}),
        "date": (datetime(2026, 11, 23, 12, tzinfo=UTC), {"$date": "2026-11-23T12:00:00Z"}),
        "ancient": (
            datetime(1815, 12, 10, tzinfo=UTC),
            {"$date": {"$numberLong": "-4861728000000"}},
        ),
        "decimal": (bson.Decimal128("1.50"), {"$numberDecimal": "1.50"}),
        "uuid": (
            bson.Binary(bytes(16), 4),
            {"$binary": {"base64": "AAAAAAAAAAAAAAAAAAAAAA==", "subType": "04"}},
        ),
        "scoped": (
            bson.Code("f()", {"x": oid}),
            {"$code": "f()", "$scope": {"x": {"$oid": str(oid)}}},
        ),
        "binary": (b"\0\1", {"$binary": {"base64": "AAE=", "subType": "00"}}),
        "long": (bson.Int64(5), 5),
        "timestamp": (bson.Timestamp(1, 2), {"$timestamp": {"t": 1, "i": 2}}),
        "regex": (bson.Regex("a", "i"), {"$regularExpression": {"pattern": "a", "options": "i"}}),
        "code": (bson.Code("f()"), {"$code": "f()"}),
        "min": (bson.MinKey(), {"$minKey": 1}),
        "max": (bson.MaxKey(), {"$maxKey": 1}),
        "numbers": (
            [float("nan"), {"x": float("inf")}, -float("inf"), 1.5, None],
            [
                {"$numberDouble": "NaN"},
                {"x": {"$numberDouble": "Infinity"}},
                {"$numberDouble": "-Infinity"},
                1.5,
                None,
            ],
        ),
        "reference": (bson.DBRef("c", oid), {"$ref": "c", "$id": {"$oid": str(oid)}}),
        "null": (None, None),
    }
    collection.insert_one({"_id": "a", **{name: value for name, (value, _) in values.items()}})
    found = await client.get("/stuff/a")
    assert found.status_code == 200
    expected = {name: json for name, (_, json) in values.items()}
    assert found.json() == {"_id": "a", **expected}


@pytest.mark.parametrize("options", ["w=0", "w=1&journal=false", "readPreference=secondary"])
async def test_writes_wait_for_a_majoritys_journal_whatever_the_uri_says(
    settings: Settings, options: str
) -> None:
    assert settings.mongodb_uri is not None
    uri = settings.mongodb_uri.get_secret_value()
    uri += ("&" if "?" in uri else "/?") + options
    app = create_app(Settings(**(settings.model_dump() | {"mongodb_uri": uri})))
    async with app.router.lifespan_context(app):
        await app.state.database.readiness.wait(TIMEOUT)
        collection = app.state.database.models["stuff"].get_motor_collection()
        assert collection.write_concern.document == {"w": "majority", "j": True}
        assert collection.read_preference.mongos_mode == "primary"


async def test_two_applications_in_one_process_keep_their_databases_apart(
    application: Application, client: AsyncClient, settings: Settings
) -> None:
    async with application(collection="other") as other:
        await client.put("/stuff/a", json={"in": "first"})
        await other.put("/stuff/a", json={"in": "other"})
        assert (await client.get("/stuff/a")).json()["in"] == "first"
        assert (await other.get("/stuff/a")).json()["in"] == "other"


@pytest.fixture
async def app(settings: Settings) -> Any:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        yield app


async def test_the_beanie_model_keeps_any_document_and_leaves_writing_to_the_store(
    app: FastAPI, collection: Documents
) -> None:
    odd = {"_id": "a", "revision_id": "no uuid", "id": 1, "bson": 2, "settings": {}}
    collection.insert_one(odd)
    model: type[StuffDocument] = app.state.database.models["stuff"]
    found = await model.get("a")
    assert found is not None
    assert found.id == "a"
    assert bson.decode(found.bson) == odd
    with pytest.raises(TypeError, match="PointOperations"):
        await found.save()
    with pytest.raises(TypeError, match="PointOperations"):
        await model(id="b", bson=found.bson).insert()
    assert list(collection.find()) == [odd]


async def test_a_refused_document_is_422_and_a_taken_value_409(
    client: AsyncClient, collection: Documents
) -> None:
    collection.database.create_collection(collection.name, validator={"age": {"$not": {"$lt": 0}}})
    collection.create_index("email", unique=True, sparse=True)
    refused = await client.put("/stuff/a", json={"age": -1})
    assert_problem(refused, 422, "document-rejected")
    assert (await client.put("/stuff/a", json={"email": "a"})).status_code == 201
    for response in (
        await client.put("/stuff/b", json={"email": "a"}),
        await client.post("/stuff", json={"email": "a"}),
    ):
        assert_problem(response, 409, "duplicate-key", keys=["email"])
