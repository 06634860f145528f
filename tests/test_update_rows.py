"""Updates of one document that wait for one another: one thread sends them, in their order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from tests.support.applications import Application
from tests.support.database.answers import (
    Answer,
    Exchange,
    Gate,
    Reply,
    broken_after,
    error,
)
from tests.support.database.playing import Play
from tests.support.database.roles import PRIMARY
from tests.support.database.server import PlayedDatabase
from tests.support.patching import update
from tests.support.patience import lasting
from tests.support.problems import assert_problem
from tests.support.rows import answers_of, counts_together, held_up, push

LIMIT = lasting(1.0)  # seconds: STUFF_OPERATION_TIMEOUT


@pytest.fixture
def database(play: Play) -> PlayedDatabase:
    return play(PRIMARY, forward=True)


@pytest.fixture
async def client(application: Application, database: PlayedDatabase) -> AsyncIterator[AsyncClient]:
    async with application(mongodb_uri=database.uri(retryWrites="false")) as client:
        await client.put("/stuff/a", json={"l": []})
        yield client


async def test_they_take_effect_in_the_order_of_their_arrival(
    client: AsyncClient, database: PlayedDatabase
) -> None:
    gate, first = await held_up(client, database)
    tasks = [push(client, number) for number in range(1, 150)]
    tasks.append(asyncio.ensure_future(client.put("/stuff/a", json={"l": [-1]})))
    tasks += [push(client, number) for number in range(150, 160)]
    gate.open()
    answers = await asyncio.gather(first, *tasks)
    assert [each.json()["l"] for each in answers[:150]] == [[*range(n + 1)] for n in range(150)]
    assert answers[150].status_code == 200
    assert answers[-1].json()["l"] == [-1, *range(150, 160)]


async def test_a_cancelled_one_affects_only_itself(
    client: AsyncClient, database: PlayedDatabase
) -> None:
    gate, first = await held_up(client, database)
    tasks = [push(client, number) for number in range(1, 6)]
    await asyncio.sleep(0)
    for cancelled in (tasks[0], tasks[2]):
        cancelled.cancel()
        with suppress(asyncio.CancelledError):
            await cancelled
    gate.open()
    await asyncio.gather(first, tasks[1], tasks[3], tasks[4])
    assert (await client.get("/stuff/a")).json()["l"] == [0, 2, 4, 5]


async def test_one_that_does_not_fit_affects_only_itself(
    client: AsyncClient, database: PlayedDatabase
) -> None:
    gate, first = await held_up(client, database)
    unfit = asyncio.ensure_future(update(client, {"$inc": {"l": 1}}))
    last = push(client, 1)
    gate.open()
    assert (await first).status_code == 200
    assert_problem(await unfit, 422, "invalid-patch")
    assert (await last).json()["l"] == [0, 1]


async def test_what_waits_for_one_that_was_not_answered_is_not_sent_too_late(
    application: Application, database: PlayedDatabase
) -> None:
    """It waits until the first one cannot take effect any more, or until its own time is over."""
    uri = database.uri(retryWrites="false")
    async with application(mongodb_uri=uri, operation_timeout=LIMIT) as client:
        await client.put("/stuff/a", json={"l": []})
        gate = Gate()
        database.answer("findAndModify", gate.before(broken_after))
        first = push(client, 0)
        await gate.reached()
        second = push(client, 1)
        await asyncio.sleep(0)
        gate.open()
        for task in (first, second):
            assert_problem(await task, 503, "database-unavailable")
        response = await push(client, 2)
        while response.status_code == 503:
            response = await push(client, 2)
        # What was answered 503 may have taken effect: so 2 may be there more than once.
        assert set(response.json()["l"]) == {0, 2}


async def test_without_a_database_all_of_them_are_told(
    application: Application, client: AsyncClient
) -> None:
    async with application(
        mongodb_uri="mongodb://127.0.0.1:9", server_selection_timeout=0.1
    ) as away:
        for response in await asyncio.gather(*(update(away, {"$inc": {"n": 1}}) for _ in range(5))):
            assert_problem(response, 503, "database-unavailable")


@pytest.mark.parametrize(
    "start", [10, -(2**30), 2**31 - 5, 2**31 + 5, 2**62, -(2**63) + 80, 10.5, 2.0**60]
)
async def test_increments_that_wait_leave_what_each_would_leave_alone(
    client: AsyncClient, database: PlayedDatabase, start: float
) -> None:
    amounts = [1, -3, 0, 70_000, 5, -(2**24), 2**24]
    operators = [{"$inc": {"deep.n": each, "n": -each}} for each in amounts]
    fields: dict[str, Any] = {"l": [], "deep": {"n": start, "x": None}, "n": 7}
    await client.put("/stuff/a", json=fields)
    await client.put("/stuff/b", json=fields | {"l": [0]})
    together = await answers_of(client, database, *operators)
    for answer, change in zip(together, operators, strict=True):
        alone = await update(client, change, "/stuff/b")
        assert answer.status_code == alone.status_code
        if alone.status_code == 200:
            assert answer.json() == alone.json() | {"_id": "a"}
            assert answer.headers["etag"] == alone.headers["etag"]


async def test_increments_that_wait_are_one_call_of_the_database(
    client: AsyncClient, database: PlayedDatabase
) -> None:
    await client.put("/stuff/a", json={"l": [], "n": 0})
    before = len(database.commands("findAndModify"))
    answers = await answers_of(client, database, *[{"$inc": {"n": 1}}] * 50)
    assert [each.json()["n"] for each in answers] == [*range(1, 51)]
    # The first of the test, the first of those that wait, and the others as one.
    assert len(database.commands("findAndModify")) - before == 3


async def test_increments_that_wait_among_other_updates_keep_their_order(
    client: AsyncClient, database: PlayedDatabase
) -> None:
    await client.put("/stuff/a", json={"l": [], "n": 1})
    count, double = {"$inc": {"n": 1}}, {"$mul": {"n": 2}}
    text, other = {"$set": {"n": "text"}}, {"$inc": {"n": 1, "m": 1}}
    answers = await answers_of(
        client,
        database,
        count,
        count,
        count,
        double,
        count,
        count,
        other,
        other,
        text,
        count,
        count,
    )
    assert [each.json()["n"] for each in answers[:-2]] == [2, 3, 4, 8, 9, 10, 11, 12, "text"]
    for unfit in answers[-2:]:
        assert_problem(unfit, 422, "invalid-patch")


async def test_increments_that_wait_create_what_is_missing(
    client: AsyncClient, database: PlayedDatabase
) -> None:
    gate, first = await held_up(client, database)
    delete = asyncio.ensure_future(client.delete("/stuff/a"))
    count = {"$inc": {"n": 1}}
    tasks = [
        asyncio.ensure_future(update(client, count, "/stuff/a?upsert=true")) for _ in range(20)
    ]
    gate.open()
    await asyncio.gather(first, delete)
    answers = await asyncio.gather(*tasks)
    assert [each.status_code for each in answers] == [201, *[200] * 19]
    assert [each.json()["n"] for each in answers] == [*range(1, 21)]


async def test_increments_are_sent_one_by_one_when_another_program_changes_the_field(
    client: AsyncClient, database: PlayedDatabase, collection: Collection[dict[str, Any]]
) -> None:
    await client.put("/stuff/a", json={"l": [], "n": 1})

    async def interfere(exchange: Exchange) -> Reply:
        await asyncio.to_thread(collection.update_one, {"_id": "a"}, {"$set": {"n": 0.5}})
        return await exchange.forward()

    database.answer("findAndModify", interfere, when=counts_together)
    answers = await answers_of(client, database, *[{"$inc": {"n": 1}}] * 4)
    assert [each.json()["n"] for each in answers] == [2, 1.5, 2.5, 3.5]


async def test_increments_are_sent_one_by_one_when_they_are_refused_together(
    client: AsyncClient, database: PlayedDatabase
) -> None:
    await client.put("/stuff/a", json={"l": [], "n": 1})
    database.answer("findAndModify", error(121), when=counts_together)
    answers = await answers_of(client, database, *[{"$inc": {"n": 1}}] * 4)
    assert [each.json()["n"] for each in answers] == [2, 3, 4, 5]


@pytest.mark.parametrize("fault", [broken_after, error(11602)])
async def test_increments_whose_outcome_is_not_known_are_answered_alike(
    client: AsyncClient, database: PlayedDatabase, fault: Answer
) -> None:
    await client.put("/stuff/a", json={"l": [], "n": 1})
    database.answer("findAndModify", fault, when=counts_together)
    one, *others = await answers_of(client, database, *[{"$inc": {"n": 1}}] * 4)
    assert one.json()["n"] == 2
    for response in others:
        assert_problem(response, 503, "database-unavailable")
    assert (await client.get("/stuff/a")).json()["n"] == (5 if fault is broken_after else 2)
