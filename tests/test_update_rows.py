"""Updates of one document that wait for one another: one thread sends them, in their order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from httpx import AsyncClient, Response

from tests.support.applications import Application
from tests.support.database.answers import Gate, broken_after, forward
from tests.support.database.playing import Play
from tests.support.database.roles import PRIMARY
from tests.support.database.server import PlayedDatabase
from tests.support.patching import update
from tests.support.patience import lasting
from tests.support.problems import assert_problem

LIMIT = lasting(1.0)  # seconds: STUFF_OPERATION_TIMEOUT


@pytest.fixture
def database(play: Play) -> PlayedDatabase:
    return play(PRIMARY, forward=True)


@pytest.fixture
async def client(application: Application, database: PlayedDatabase) -> AsyncIterator[AsyncClient]:
    async with application(mongodb_uri=database.uri(retryWrites="false")) as client:
        await client.put("/stuff/a", json={"l": []})
        yield client


def push(client: AsyncClient, number: int) -> "asyncio.Task[Response]":
    return asyncio.ensure_future(update(client, {"$push": {"l": number}}))


async def held_up(
    client: AsyncClient, database: PlayedDatabase
) -> tuple[Gate, asyncio.Task[Response]]:
    """An update that the database gets when the gate opens."""
    gate = Gate()
    database.answer("findAndModify", gate.before(forward))
    first = push(client, 0)
    await gate.reached()
    return gate, first


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
