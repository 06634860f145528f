"""Slow calls of the database delay no others."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from typing import Any

import pytest
from httpx import AsyncClient, Response

from service.mongo.shares import LOAD_CALLS, POINT_CALLS, QUERY_CALLS
from tests.support.applications import Application
from tests.support.failing import FailingEngine
from tests.support.patience import lasting
from tests.support.requests import NDJSON

BLOCKED = lasting(8.0)  # seconds


@pytest.fixture
async def client(application: Application, engine: FailingEngine) -> AsyncIterator[AsyncClient]:
    async with application(mongodb_uri=engine.uri, database="demo") as client:
        await client.put("/stuff/ada", json={"n": 1})
        yield client


async def started(*requests: Coroutine[Any, Any, Response]) -> list[asyncio.Task[Response]]:
    tasks = [asyncio.create_task(request) for request in requests]
    await asyncio.sleep(0.5)  # they are on their way
    return tasks


async def assert_served(client: AsyncClient, slow: list[asyncio.Task[Response]]) -> None:
    """Point operations are answered while the slow ones are under way."""
    headers = {"If-Match": "*"}
    for response in (
        await client.get("/stuff/ada"),
        await client.put("/stuff/ada", json={"n": 2}),
        await client.put("/stuff/ada", json={"n": 2}, headers=headers),
        await client.get("/stuff/ada?fields=n"),
        await client.delete("/stuff/ada"),
    ):
        assert response.is_success
    await assert_under_way(slow)


async def assert_under_way(slow: list[asyncio.Task[Response]]) -> None:
    """None is done yet; ends them."""
    assert not any(task.done() for task in slow)
    for task in slow:
        task.cancel()
    await asyncio.gather(*slow, return_exceptions=True)


async def test_point_operations_do_not_wait_for_queries(
    client: AsyncClient, engine: FailingEngine
) -> None:
    engine.block(BLOCKED, ["aggregate"], QUERY_CALLS)
    counts = await started(
        *(client.get("/stuff", params={"count": "true"}) for _ in range(QUERY_CALLS + 20))
    )
    await assert_served(client, counts)


async def test_point_operations_do_not_wait_for_loads(
    client: AsyncClient, engine: FailingEngine
) -> None:
    engine.block(BLOCKED, ["insert"], LOAD_CALLS)
    loads = await started(
        *(
            client.post("/stuff", content=f'{{"_id": "{n}"}}', headers=NDJSON)
            for n in range(LOAD_CALLS + 20)
        )
    )
    await assert_served(client, loads)


async def test_a_share_is_held_until_the_thread_has_returned(
    client: AsyncClient, engine: FailingEngine
) -> None:
    """Otherwise clients that give up and try again would use up the threads."""
    for _ in range(5):
        engine.block(BLOCKED, ["aggregate"], 5)
        counts = await started(
            *(client.get("/stuff", params={"count": "true"}) for _ in range(QUERY_CALLS))
        )
        for task in counts:
            task.cancel()
        await asyncio.gather(*counts, return_exceptions=True)
    await assert_served(client, [])


async def test_operations_do_not_wait_for_a_round_trip_that_hangs(
    client: AsyncClient, engine: FailingEngine
) -> None:
    for command, method in (("find", "GET"), ("update", "PUT")):
        engine.block(BLOCKED, [command], 1)
        hung = await started(*(client.request(method, f"/stuff/{n}", json={}) for n in range(40)))
        other = await client.request(method, "/stuff/ada", json={})
        assert other.is_success
        assert not any(task.done() for task in hung)
        for task in hung:
            task.cancel()
        await asyncio.gather(*hung, return_exceptions=True)


async def test_readiness_does_not_wait_for_conditional_writes(
    client: AsyncClient, engine: FailingEngine
) -> None:
    engine.block(BLOCKED, ["insert"], POINT_CALLS)
    headers = {"If-None-Match": "*"}
    slow = await started(
        *(client.put(f"/stuff/{n}", json={}, headers=headers) for n in range(POINT_CALLS))
    )
    assert (await client.get("/readyz")).status_code == 200
    await assert_under_way(slow)
