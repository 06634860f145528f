"""What is found in a database that exists: its collections, samples, indexes; and what is not."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import bson
import pytest
from pymongo import MongoClient
from pymongo.database import Database

from service.errors import ConfigurationError, DatabaseUnavailable
from service.mongo import existing
from service.mongo.existing import ExistingDatabase, open_existing
from service.settings import Settings
from tests.support.database.answers import Answer, Gate, error, forward
from tests.support.database.playing import Play
from tests.support.database.roles import DOCUMENTDB, MONGOS, PRIMARY, STANDALONE, Role
from tests.support.patience import patient

Open = Callable[..., AbstractAsyncContextManager[ExistingDatabase]]


@pytest.fixture
def database(mongo: MongoClient[dict[str, Any]], settings: Settings) -> Database[dict[str, Any]]:
    return mongo[settings.database]


@pytest.fixture
def look(settings: Settings) -> Open:
    """Opens the database of the test, or the same through another URI."""

    def open(uri: str | None = None) -> AbstractAsyncContextManager[ExistingDatabase]:
        assert settings.mongodb_uri is not None
        return open_existing(settings, uri or settings.mongodb_uri.get_secret_value())

    return open


async def test_what_cannot_be_served_has_an_obstacle(
    database: Database[dict[str, Any]], look: Open
) -> None:
    database.books.insert_one({})
    database.create_collection("strict", validator={"a": {"$exists": True}})
    database.create_collection("small", capped=True, size=4096)
    database.create_collection("times", timeseries={"timeField": "at"})
    database.create_collection("words", collation={"locale": "de"})
    database.command("create", "seen", viewOn="books", pipeline=[])
    async with look() as found:
        collections = {each.name: each for each in await found.collections()}
    obstacles = {name: each.obstacle or "" for name, each in collections.items()}
    assert obstacles["books"] == obstacles["strict"] == ""
    assert [name for name, each in collections.items() if each.has_validator] == ["strict"]
    said = {"small": "capped", "times": "time series", "words": "'de'", "seen": "view"}
    for name, word in said.items():
        assert word in obstacles[name]
    assert all(
        "keeps it for itself" in each for name, each in obstacles.items() if "system." in name
    )


async def test_a_sample_has_as_many_documents_as_are_asked_for(
    database: Database[dict[str, Any]], look: Open
) -> None:
    database.books.insert_many({"_id": n} for n in range(50))
    async with look() as found:
        assert await found.count("books") == 50
        sample = [bson.decode(each)["_id"] for each in await found.sample("books", 20)]
        assert len(sample) == len(set(sample)) == 20
        assert len(await found.sample("books", 100)) == 50
        assert await found.sample("none", 10) == []


async def test_a_sample_has_a_bounded_size(
    database: Database[dict[str, Any]], look: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(existing, "SAMPLE_BYTES", 3500)
    database.books.insert_many({"_id": n, "text": "x" * 1000} for n in range(10))
    database.novels.insert_one({"text": "x" * 90_000})
    async with look() as found:
        assert len(await found.sample("books", 10)) == 3
        [novel] = await found.sample("novels", 10)
    assert type(novel) is bytes  # the driver has a view of a large reply


@pytest.mark.parametrize(
    "answer",
    [error(40324, "Unrecognized pipeline stage name: '$sample'"), error(50, "too slow")],
    ids=["lacking", "slow"],
)
async def test_where_nothing_is_drawn_by_chance_the_last_documents_are_taken(
    database: Database[dict[str, Any]], look: Open, play: Play, answer: Answer
) -> None:
    database.books.insert_many({"_id": n} for n in range(50))
    played = play(PRIMARY, forward=True)
    played.always("aggregate", answer)
    async with look(played.uri()) as found:
        sample = [bson.decode(each)["_id"] for each in await found.sample("books", 3)]
    assert sample == [49, 48, 47]


async def test_a_database_that_draws_for_too_long_is_not_waited_for(
    database: Database[dict[str, Any]], look: Open, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(existing, "SAMPLE_SECONDS", patient(2))
    database.books.insert_many({"_id": n} for n in range(50))
    played = play(PRIMARY, forward=True)
    gate = Gate()
    played.always("aggregate", gate.before(forward))
    async with look(played.uri()) as found:
        sample = await found.sample("books", 3)
        gate.open()
    assert [bson.decode(each)["_id"] for each in sample] == [49, 48, 47]


async def test_indexes_are_those_of_the_collection(
    database: Database[dict[str, Any]], look: Open
) -> None:
    database.books.create_index([("a", 1), ("b", -1)], unique=True)
    async with look() as found:
        indexes = await found.indexes("books")
    assert [*indexes["a_1_b_-1"]["key"]] == [("a", 1), ("b", -1)]
    assert indexes["a_1_b_-1"]["unique"] is True


@pytest.mark.parametrize(
    "role", [PRIMARY, MONGOS, STANDALONE, DOCUMENTDB], ids=lambda role: role.name
)
async def test_nothing_is_written(
    database: Database[dict[str, Any]], look: Open, play: Play, role: Role
) -> None:
    database.books.insert_one({})
    played = play(role, forward=True)
    async with look(played.uri()) as found:
        for each in await found.collections():
            await found.count(each.name)
            await found.sample(each.name, 10)
            await found.indexes(each.name)
    own = {"hello", "ismaster", "isMaster", "endSessions", "ping"}  # of the driver
    asked = {each.name for each in played.asked} - own
    assert asked == {"listCollections", "count", "aggregate", "listIndexes"}


async def test_a_user_who_may_not_read_is_told_the_role(look: Open, play: Play) -> None:
    played = play(PRIMARY)
    played.always("listCollections", error(13, "not authorized"))
    async with look(played.uri()) as found:
        with pytest.raises(ConfigurationError, match="needs the role read"):
            await found.collections()


async def test_a_database_that_is_away_is_named_as_the_cause(
    settings: Settings, free_port: int
) -> None:
    brief = settings.model_copy(update={"server_selection_timeout": 0.1})
    async with open_existing(brief, f"mongodb://127.0.0.1:{free_port}/") as found:
        with pytest.raises(DatabaseUnavailable, match="refused"):
            await found.collections()
