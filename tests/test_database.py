"""The database: durability, documents of other programs, and its absence."""

import socket
import subprocess
import sysconfig
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anyio
import bson
import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient
from pymongo import MongoClient
from pymongo.collection import Collection

from service.app import create_app
from service.models import StuffDocument
from service.settings import Settings
from tests.conftest import Application
from tests.test_bad_input import assert_problem

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


async def test_documents_of_another_program_are_full_citizens(
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
async def test_the_fields_decide_where_stuff_is_not_true(
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
async def test_writes_wait_for_a_majorities_journal_whatever_the_uri_says(
    settings: Settings, options: str
) -> None:
    assert settings.mongodb_uri is not None
    uri = settings.mongodb_uri.get_secret_value()
    uri += ("&" if "?" in uri else "/?") + options
    app = create_app(Settings(**(settings.model_dump() | {"mongodb_uri": uri})))
    async with app.router.lifespan_context(app):
        collection = app.state.database.documents.get_motor_collection()
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
    model: type[StuffDocument] = app.state.database.documents
    found = await model.get("a")
    assert found is not None
    assert found.id == "a"
    assert bson.decode(found.bson) == odd
    with pytest.raises(TypeError, match="Store"):
        await found.save()
    with pytest.raises(TypeError, match="Store"):
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


@pytest.fixture
def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def engine_on_port(tmp_path: Path) -> Iterator[Any]:
    """Starts the engine on a port of one's choice."""
    started: list[subprocess.Popen[bytes]] = []
    executable = Path(sysconfig.get_path("scripts")) / "secantusd-py"

    def start(port: int, *options: str) -> subprocess.Popen[bytes]:
        command = [str(executable), "--port", str(port), "--storage-path", str(tmp_path / "db")]
        started.append(subprocess.Popen([*command, "--log-level", "ERROR", *options]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


async def test_an_absent_database_is_503_and_is_found_when_it_comes(
    application: Application, free_port: int, engine_on_port: Any
) -> None:
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false"
    async with application(mongodb_uri=uri, server_selection_timeout=0.5) as client:
        requests = [
            ("GET", "/stuff/a"),
            ("PUT", "/stuff/a"),
            ("POST", "/stuff"),
            ("GET", "/readyz"),
        ]

        async def assert_unavailable() -> None:
            for method, path in requests:
                with anyio.fail_after(5):
                    response = await client.request(method, path, json={})
                assert_problem(response, 503, "database-unavailable")
                assert int(response.headers["retry-after"]) > 0
            assert (await client.get("/healthz")).json() == {"status": "ok"}

        async def wait_until_ready() -> None:
            with anyio.fail_after(20):
                while (await client.get("/readyz")).status_code != 200:
                    await anyio.sleep(0.05)

        await assert_unavailable()
        engine = engine_on_port(free_port)
        await wait_until_ready()
        assert (await client.put("/stuff/a", json={"x": 1})).status_code == 201
        engine.kill()
        engine.wait()
        await assert_unavailable()
        engine_on_port(free_port)
        await wait_until_ready()
        assert (await client.get("/stuff/a")).json() == {"_id": "a", "x": 1}


async def test_a_database_that_hangs_is_503_within_the_time_limit(
    application: Application, free_port: int, engine_on_port: Any
) -> None:
    engine = engine_on_port(free_port)
    with MongoClient[dict[str, Any]](f"mongodb://127.0.0.1:{free_port}/") as mongo:
        mongo.admin.command("ping")
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false"
    async with application(mongodb_uri=uri, operation_timeout=1) as client:
        await client.put("/stuff/a", json={"x": 1})
        engine.send_signal(19)  # SIGSTOP
        with anyio.fail_after(10):
            assert_problem(await client.get("/stuff/a"), 503, "database-unavailable")
            assert_problem(await client.get("/readyz"), 503, "database-unavailable")
        engine.send_signal(18)  # SIGCONT
        with anyio.fail_after(10):
            while (await client.get("/stuff/a")).status_code != 200:
                await anyio.sleep(0.05)


@pytest.mark.parametrize(
    ("failure", "method", "status", "slug"),
    [
        ({"errorCode": 13}, "PUT", 503, "database-unavailable"),
        ({"errorCode": 13}, "GET", 503, "database-unavailable"),
        ({"errorCode": 50}, "GET", 503, "database-unavailable"),
        ({"writeConcernError": {"code": 64, "errmsg": "x"}}, "PUT", 503, "database-unavailable"),
        ({"writeConcernError": {"code": 64, "errmsg": "x"}}, "PATCH", 503, "database-unavailable"),
        ({"errorCode": 2}, "GET", 500, "internal-error"),
    ],
)
async def test_failures_of_the_database_are_problems(
    application: Application,
    free_port: int,
    engine_on_port: Any,
    failure: dict[str, Any],
    method: str,
    status: int,
    slug: str,
) -> None:
    engine_on_port(free_port, "--enable-test-commands")
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false&retryReads=false"
    async with application(mongodb_uri=uri) as client:
        if method != "PUT":
            await client.put("/stuff/a", json={})
        command = {
            "configureFailPoint": "failCommand",
            "mode": {"times": 1},
            "data": {
                "failCommands": ["find", "update"] if method == "GET" else ["update"],
                **failure,
            },
        }
        with MongoClient[dict[str, Any]](uri) as mongo:
            mongo.admin.command(command)
        headers = {"content-type": "application/merge-patch+json"} if method == "PATCH" else {}
        content = None if method == "GET" else '{"x": 1}'
        response = await client.request(method, "/stuff/a", content=content, headers=headers)
        assert_problem(response, status, slug)
        assert (await client.put("/stuff/a", json={})).is_success


async def test_of_two_upserts_that_meet_the_later_replaces(
    app: FastAPI, collection: Documents
) -> None:
    async def meet(*_: object, **__: object) -> None:
        del motor.replace_one
        collection.insert_one({"_id": "a", "by": "the other"})
        collection.insert_one({"_id": "a"})  # raises what an upsert raises then

    motor = app.state.database.documents.get_motor_collection()
    motor.replace_one = meet
    async with AsyncClient(transport=ASGITransport(app), base_url="http://stuff.test") as client:
        assert (await client.put("/stuff/a", json={"by": "us"})).status_code == 200
        assert (await client.get("/stuff/a")).json() == {"_id": "a", "by": "us"}
