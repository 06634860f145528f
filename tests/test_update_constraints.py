"""Increments that wait for one another pass no value that the database would refuse."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from tests.support.applications import Application
from tests.support.database.answers import cursor, error
from tests.support.database.playing import Play
from tests.support.database.roles import PRIMARY
from tests.support.database.server import PlayedDatabase
from tests.support.problems import assert_problem
from tests.support.rows import answers_of, counts_together


@pytest.fixture
def database(play: Play) -> PlayedDatabase:
    return play(PRIMARY, forward=True)


@pytest.fixture
async def client(application: Application, database: PlayedDatabase) -> AsyncIterator[AsyncClient]:
    async with application(mongodb_uri=database.uri(retryWrites="false")) as client:
        yield client


async def test_increments_that_wait_do_not_pass_the_value_of_a_unique_index(
    client: AsyncClient, database: PlayedDatabase, collection: Collection[dict[str, Any]]
) -> None:
    collection.create_index("n", unique=True, sparse=True)
    await client.put("/stuff/b", json={"n": 5})
    await client.put("/stuff/a", json={"l": [], "n": 1})
    answers = await answers_of(client, database, *[{"$inc": {"n": 1}}] * 9)
    assert [each.json().get("n") for each in answers] == [2, 3, 4] + [None] * 6
    for refused in answers[3:]:
        assert_problem(refused, 409, "duplicate-key")
    assert (await client.get("/stuff/a")).json()["n"] == 4


@pytest.mark.parametrize(
    ("options", "are_together"),
    [
        ({"keys": "n"}, True),
        ({"keys": "other", "unique": True}, True),
        ({"keys": "n", "unique": True}, False),
        ({"keys": [("other", 1), ("n.deep", 1)], "unique": True}, False),
        ({"keys": "other", "partialFilterExpression": {"n": 5}}, False),
    ],
)
async def test_increments_are_one_call_unless_an_index_may_refuse_one_of_them(
    client: AsyncClient,
    database: PlayedDatabase,
    collection: Collection[dict[str, Any]],
    options: dict[str, Any],
    are_together: bool,
) -> None:
    collection.create_index(**options)
    await client.put("/stuff/a", json={"l": [], "n": 1})
    answers = await answers_of(client, database, *[{"$inc": {"n": 1}}] * 9)
    assert [each.json()["n"] for each in answers] == [*range(2, 11)]
    assert any(map(counts_together, database.commands("findAndModify"))) is are_together


async def test_increments_are_sent_one_by_one_if_the_collection_has_a_validator(
    client: AsyncClient, database: PlayedDatabase
) -> None:
    """The database refuses what is between the first value and the last one, too."""
    await client.put("/stuff/a", json={"l": [], "n": 1})
    listed = {"name": "stuff", "options": {"validator": {"n": {"$gte": 0}}}}
    database.answer("listCollections", cursor("stuff.$cmd.listCollections", listed))
    answers = await answers_of(client, database, *[{"$inc": {"n": 1}}] * 4)
    assert [each.json()["n"] for each in answers] == [2, 3, 4, 5]
    assert not any(map(counts_together, database.commands("findAndModify")))


async def test_increments_are_sent_one_by_one_if_the_indexes_cannot_be_read(
    client: AsyncClient, database: PlayedDatabase
) -> None:
    await client.put("/stuff/a", json={"l": [], "n": 1})
    database.answer("listIndexes", error(13))
    answers = await answers_of(client, database, *[{"$inc": {"n": 1}}] * 4)
    assert [each.json()["n"] for each in answers] == [2, 3, 4, 5]
    assert not any(map(counts_together, database.commands("findAndModify")))


async def test_increments_are_sent_one_by_one_if_an_index_is_prepared_to_be_unique(
    client: AsyncClient, database: PlayedDatabase
) -> None:
    """It refuses new duplicates already (`collMod`)."""
    await client.put("/stuff/a", json={"l": [], "n": 1})
    index = {"v": 2, "key": {"n": 1}, "name": "n_1", "prepareUnique": True}
    database.answer("listIndexes", cursor("stuff.stuff", index))
    answers = await answers_of(client, database, *[{"$inc": {"n": 1}}] * 4)
    assert [each.json()["n"] for each in answers] == [2, 3, 4, 5]
    assert not any(map(counts_together, database.commands("findAndModify")))
