"""Indexes: made from a file or by hand, and asked for in a way that they can serve."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from service.declarations.indexes import Index, read_file
from service.documents.query import encode_cursor, parse_sort
from service.errors import ConfigurationError
from service.mongo.access import CollectionAccess
from service.mongo.database import open_database
from service.mongo.model import StuffDocument
from service.settings import Settings
from service.store import indexes
from tests.support.applications import Application
from tests.support.commands import stuff_here
from tests.support.failing import failing_engine
from tests.support.patience import TIMEOUT

Documents = Collection[dict[str, Any]]
INDEXES = [
    {"keys": {"year": -1, "name": 1, "_id": 1}},
    {"keys": {"email": 1}, "name": "addresses", "unique": True, "sparse": True},
    {"keys": {"seen": 1}, "expireAfterSeconds": 3600},
    {"keys": {"open": 1}, "partialFilterExpression": {"open": True}},
]


# Those that come before strings.
OTHER_IDS = {"_id": {"$type": ["minKey", "undefined", "number"]}}


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(TIMEOUT):
        while not condition():
            await anyio.sleep(0.02)


async def test_the_indexes_of_a_file_are_made_when_the_service_starts(
    application: Application, collection: Documents, tmp_path: Path
) -> None:
    file = tmp_path / "indexes.json"
    file.write_text(json.dumps(INDEXES))
    for _ in range(2):  # the second time they are there already
        async with application(indexes=file) as client:
            await until(lambda: len(collection.index_information()) == 5)
            await client.put("/stuff/a", json={"email": "a@b"})
            response = await client.put("/stuff/b", json={"email": "a@b"})
            assert response.status_code == 409
            assert response.json()["keys"] == ["email"]
    found = collection.index_information()
    assert found["year_-1_name_1__id_1"]["key"] == [("year", -1), ("name", 1), ("_id", 1)]
    assert found["addresses"]["unique"]
    assert found["seen_1"]["expireAfterSeconds"] == 3600
    assert found["open_1"]["partialFilterExpression"] == {"open": True}


async def test_an_index_that_cannot_be_made_prevents_no_other_and_is_logged(
    application: Application,
    collection: Documents,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    collection.insert_many([{"n": "secret"}, {"n": "secret"}])
    file = tmp_path / "indexes.json"
    file.write_text(json.dumps([{"keys": {"n": 1}, "unique": True}, {"keys": {"m": 1}}]))
    async with application(indexes=file) as client:
        await until(lambda: "m_1" in collection.index_information())
        assert (await client.get("/readyz")).status_code == 200
    assert (
        " of stuff could not be created: DuplicateKeyError DuplicateKey (code 11000)" in caplog.text
    )
    assert "secret" not in caplog.text
    assert set(collection.index_information()) == {"_id_", "m_1"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("{", "/"),
        ("{}", "/"),
        ('[{"keys": {}}]', "/0/keys"),
        ('[{"keys": {"a": 2}}]', "/0/keys/a"),
        ('[{"keys": {"a": 1}, "uniqe": true}]', "/0/uniqe"),
    ],
)
def test_a_malformed_file_of_indexes_is_refused_at_startup(
    tmp_path: Path, text: str, place: str
) -> None:
    file = tmp_path / "indexes.json"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match=place):
        read_file(file)
    result = stuff_here("serve", STUFF_INDEXES=str(file), STUFF_DATA_DIR=str(tmp_path / "data"))
    assert result.returncode == 2
    assert "STUFF_INDEXES" in result.stderr
    assert "Traceback" not in result.stderr
    assert stuff_here("serve", STUFF_INDEXES=str(tmp_path / "none")).returncode == 2


def test_indexes_are_made_listed_explained_and_dropped_by_hand(
    settings: Settings, mongodb_uri: str
) -> None:
    environment = {"STUFF_MONGODB_URI": mongodb_uri, "STUFF_DATABASE": settings.database}

    def index(*arguments: str) -> str:
        result = stuff_here("index", *arguments, **environment)
        assert (result.returncode, result.stderr) == (0, where)
        return result.stdout

    address = mongodb_uri.removeprefix("mongodb://").partition("/")[0]
    where = f"In {settings.database}.stuff of the MongoDB at {address}:\n"

    assert index("create", "year,-name") == "year_1_name_-1__id_-1\n"
    assert index("create", "year,-name") == "year_1_name_-1__id_-1\n"
    assert index("create", "email", "--unique", "--sparse", "--name", "addresses") == "addresses\n"
    listed = index("list").splitlines()
    assert listed[0] == "_id_: _id"
    assert listed[1].startswith("addresses: email {")
    assert listed[2] == "year_1_name_-1__id_-1: year,-name,-_id"
    explained = index("explain", "--sort", "year,-name", "--filter", '{"year": {"$gt": 1900}}')
    assert "IXSCAN year_1_name_-1__id_-1" in explained
    assert index("drop", "addresses") == "dropped addresses\n"
    assert len(index("list").splitlines()) == 2
    for wrong in (("drop", "addresses"), ("create", "a,a"), ("explain", "--filter", "{")):
        result = stuff_here("index", *wrong, **environment)
        assert (result.returncode, result.stdout) == (1, "")
        assert result.stderr.startswith(f"{where}stuff: ")
        assert "Traceback" not in result.stderr


@pytest.mark.parametrize("command", [("create", "year"), ("list",), ("drop", "x"), ("explain",)])
def test_a_command_makes_no_data_directory(tmp_path: Path, command: tuple[str, ...]) -> None:
    environment = {"STUFF_DATA_DIR": str(tmp_path / "data"), "STUFF_MONGO_URI": "mongodb://x/"}
    for _ in range(2):
        result = stuff_here("index", *command, **environment)
        assert (result.returncode, result.stdout) == (1, "")
        warning, fault = result.stderr.splitlines()
        assert warning == "STUFF_MONGO_URI is not a setting. Did you mean STUFF_MONGODB_URI?"
        assert str(tmp_path / "data") in fault
        assert not (tmp_path / "data" / "engine").exists()
        (tmp_path / "data").mkdir(exist_ok=True)  # there, but nothing in it
    assert list((tmp_path / "data").iterdir()) == []


async def test_a_page_is_asked_for_by_ranges_in_the_order_of_an_index(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By MongoDB's rule "equality, sort, range", an index on the fields of the order serves each
    command without a sort, from the cursor on.

    https://www.mongodb.com/docs/manual/tutorial/equality-sort-range-guideline/
    """
    asked: list[tuple[Any, Any, int]] = []
    find_batches = StuffDocument.find_batches.__func__  # type: ignore[attr-defined]

    def recorded(cls: type[StuffDocument], condition: Any, /, **options: Any) -> Any:
        asked.append((condition, list(options["sort"]), options["limit"]))
        return find_batches(cls, condition, **options)

    monkeypatch.setattr(StuffDocument, "find_batches", classmethod(recorded))
    lines = "\n".join(json.dumps({"_id": f"{n}", "year": n // 3, "name": "x"}) for n in range(9))
    await client.post("/stuff", content=lines, headers={"Content-Type": "application/x-ndjson"})

    order = [("year", -1), ("_id", -1)]
    page = (await client.get("/stuff", params={"sort": "-year", "limit": 2})).json()
    assert asked.pop(0) == ({}, order, 3)
    parameters = {"sort": "-year", "limit": "2", "after": page["next"]}
    page = (await client.get("/stuff", params=parameters)).json()
    assert asked == [
        ({"year": {"$eq": 2}, "_id": {"$lt": "7"}}, order, 3),
        ({"year": {"$eq": 2}, "$or": [OTHER_IDS, {"_id": None}]}, order, 2),
        ({"year": {"$lt": 2}}, order, 2),
    ]

    asked.clear()
    filter = '{"name": "x"}'
    key = encode_cursor({"name": "x"}, parse_sort(None), ("3",))
    await client.get("/stuff", params={"filter": filter, "limit": 1, "after": key})
    assert asked == [({"$and": [{"name": "x"}, {"_id": {"$gt": "3"}}]}, [("_id", 1)], 2)]


async def test_an_index_may_take_longer_than_an_operation(
    settings: Settings, free_port: int, engine_on_port: Any
) -> None:
    engine_on_port(free_port, "--enable-test-commands")
    with failing_engine(free_port) as engine:
        changed = Settings(**settings.model_dump() | {"operation_timeout": 1.0})
        async with open_database(changed, engine.uri, ["stuff"]) as database:
            await database.readiness.wait(TIMEOUT)
            engine.block(3.0, ["createIndexes"], 1)
            access = CollectionAccess(database, "stuff")
            assert await indexes.create(access, Index(keys={"n": 1})) == "n_1"
