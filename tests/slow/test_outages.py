"""The link to the database cut, stopped or slow: every request is answered in time, nothing
acknowledged is lost, and the service is back soon after the database."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Iterable
from itertools import count, repeat
from typing import Any

import pytest
from httpx import AsyncClient
from pymongo import MongoClient
from pymongo.collection import Collection

from service.settings import Settings
from tests.support.applications import listen
from tests.support.clients import connect
from tests.support.link import Link, linked
from tests.support.patience import TIMEOUT, lasting, patient
from tests.support.problems import assert_problem
from tests.support.requests import NDJSON, REQUESTS

LIMIT = lasting(1.0)  # seconds: STUFF_OPERATION_TIMEOUT
SLACK = patient(1.5)  # seconds beyond the limit until the answer is there
BACK = patient(3.5)  # seconds after which the service has to be back
DELAY = 0.05  # seconds that a slow link takes, each way

ALL = [*REQUESTS, ("GET", "/readyz", {}, None)]


@pytest.fixture
async def link(mongodb_uri: str) -> AsyncIterator[Link]:
    async with linked(mongodb_uri) as link:
        yield link


@pytest.fixture
def through(settings: Settings, link: Link) -> Settings:
    """An application whose way to the database is the link."""
    limits = {"operation_timeout": LIMIT, "query_timeout": LIMIT, "server_selection_timeout": LIMIT}
    return Settings(**settings.model_dump() | {"mongodb_uri": link.uri} | limits)


async def all_problems(client: AsyncClient) -> None:
    """Each request gets a problem, and in time."""

    async def one(method: str, path: str, headers: dict[str, str], content: str | None) -> None:
        start = time.monotonic()
        response = await client.request(method, path, headers=headers, content=content)
        assert_problem(response, 503, "database-unavailable")
        assert int(response.headers["retry-after"]) > 0
        assert time.monotonic() - start < LIMIT + SLACK, (method, path)

    await asyncio.gather(*(one(*request) for request in ALL))


async def comes_back(client: AsyncClient, ids: Iterable[str] = repeat("back")) -> float:
    """Seconds until a document can be written and read again; each attempt takes the next id."""
    start = time.monotonic()
    for id in ids:
        put = await client.put(f"/stuff/{id}", json={"n": 1})
        if put.is_success:
            assert (await client.get(f"/stuff/{id}")).json() == {"_id": id, "n": 1}
            assert (await client.get("/readyz")).status_code == 200
            return time.monotonic() - start
        assert_problem(put, 503, "database-unavailable")
        await asyncio.sleep(0.02)
    raise AssertionError("there are no more ids")


async def test_the_service_starts_without_its_database_and_recovers(
    link: Link, through: Settings
) -> None:
    await link.cut()
    async with listen(through) as url, connect(url) as client:
        await all_problems(client)
        assert (await client.get("/healthz")).status_code == 200
        await link.open()
        assert await comes_back(client) < BACK


@pytest.mark.parametrize("pause", [0.0, 3.0])
async def test_the_service_recovers_from_an_outage(
    link: Link, through: Settings, pause: float
) -> None:
    async with listen(through) as url, connect(url) as client:
        await client.put("/stuff/a", json={"n": 1})
        await link.cut()
        await all_problems(client)
        await asyncio.sleep(pause)
        await link.open()
        assert await comes_back(client) < BACK
        # A write that was answered 503 may have been stored at the last moment.
        found = (await client.get("/stuff/a")).json()
        assert found in ({"_id": "a", "n": 1}, {"_id": "a", "n": 2}, {"_id": "a"})


async def test_a_link_that_hangs_is_given_up_in_time_and_used_again(
    link: Link, through: Settings
) -> None:
    async with listen(through) as url, connect(url) as client:
        await client.put("/stuff/a", json={"n": 1})
        for _ in range(2):
            link.stop()
            await all_problems(client)
            link.go_on()
            assert await comes_back(client) < BACK


async def test_connections_that_hang_for_ever_do_not_keep_the_service_away(
    link: Link, through: Settings
) -> None:
    """As behind a firewall that forgets them: the new ones work, the old ones say nothing."""
    async with listen(through) as url, connect(url) as client:
        await client.put("/stuff/a", json={"n": 1})
        link.forget()
        # The turn of the id that was being written lasts until the driver gives up its connection.
        assert await comes_back(client, map(str, count())) < LIMIT + BACK
        await comes_back(client, repeat("0"))


async def test_a_slow_link_is_tolerated_and_one_too_slow_is_not(
    link: Link, through: Settings
) -> None:
    async with listen(through) as url, connect(url) as client:
        await client.put("/stuff/a", json={"n": 1})
        link.delay = DELAY
        for method, path, headers, content in REQUESTS:
            response = await client.request(method, path, headers=headers, content=content)
            assert response.is_success or response.status_code == 404, (method, path)
        link.delay = LIMIT * 2
        await all_problems(client)
        link.delay = 0.0
        assert await comes_back(client) < 2 * LIMIT + BACK  # what is on its way arrives first


async def test_a_feed_resumes_where_it_was_when_the_link_was_cut(
    link: Link, through: Settings, collection: Collection[dict[str, Any]]
) -> None:
    events = {"Accept": "text/event-stream"}
    async with listen(through) as url, connect(url) as client:
        async with client.stream("GET", "/stuff", headers=events) as response:
            lines = response.aiter_lines()

            async def next_id() -> str:
                async with asyncio.timeout(TIMEOUT):
                    async for line in lines:
                        if line.startswith("data:"):
                            return line.partition('"_id":"')[2].partition('"')[0]
                raise AssertionError("the feed has ended")

            await client.put("/stuff/a", json={})
            assert await next_id() == "a"
            await link.cut()
            collection.insert_one({"_id": "b"})  # by another program, meanwhile
            await asyncio.sleep(0.5)
            await link.open()
            assert await comes_back(client) < BACK
            assert [await next_id(), await next_id()] == ["b", "back"]


@pytest.mark.parametrize("seed", range(3))
async def test_nothing_acknowledged_is_lost_however_often_the_link_breaks(
    link: Link, through: Settings, collection: Collection[dict[str, Any]], seed: int
) -> None:
    chance = random.Random(seed)
    acknowledged: dict[str, int] = {}
    done = asyncio.Event()

    async def write(client: AsyncClient, writer: int) -> None:
        number = 0
        while not done.is_set():
            number += 1
            id = f"{writer}-{number}"
            if writer % 2:
                response = await client.put(f"/stuff/{id}", json={"n": number})
            else:
                line = f'{{"_id": "{id}", "n": {number}}}'
                response = await client.post("/stuff", content=line, headers=NDJSON)
            if response.is_success:
                acknowledged[id] = number
            else:
                assert_problem(response, 503, "database-unavailable")

    async with (
        listen(through) as url,
        connect(url) as client,
        asyncio.TaskGroup() as tasks,
    ):
        for writer in range(8):
            tasks.create_task(write(client, writer))
        breaks = 0
        while breaks < 10 or len(acknowledged) < 50:
            breaks += 1
            await asyncio.sleep(chance.uniform(0, 0.3))
            if chance.random() < 0.5:
                link.reset()
            else:
                await link.cut()
                await asyncio.sleep(chance.uniform(0, 0.2))
                await link.open()
        done.set()
    stored = {document["_id"]: document["n"] for document in collection.find({}, {"n": 1})}
    assert acknowledged.items() <= stored.items()


@pytest.mark.parametrize(
    "failure",
    [
        {"errorCode": 10107},  # NotWritablePrimary
        {"errorCode": 189},  # PrimarySteppedDown
        {"errorCode": 11600},  # InterruptedAtShutdown
        {"closeConnection": True},
    ],
)
async def test_a_failover_is_a_problem_at_most_and_soon_over(
    settings: Settings, free_port: int, engine_on_port: Any, failure: dict[str, Any]
) -> None:
    engine_on_port(free_port, "--enable-test-commands")
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=false&retryReads=false"
    changed = Settings(**settings.model_dump() | {"mongodb_uri": uri, "operation_timeout": LIMIT})
    commands = [
        "find",
        "update",
        "findAndModify",
        "insert",
        "delete",
        "aggregate",
        "getMore",
        "bulkWrite",
        "ping",
    ]
    with MongoClient[dict[str, Any]](uri) as mongo:
        mongo.admin.command("ping")
        async with listen(changed) as url, connect(url) as client:
            await client.put("/stuff/a", json={"n": 1})
            mongo.admin.command(
                {
                    "configureFailPoint": "failCommand",
                    "mode": "alwaysOn",
                    "data": {"failCommands": commands, "appName": "stuff", **failure},
                }
            )
            await all_problems(client)
            mongo.admin.command({"configureFailPoint": "failCommand", "mode": "off"})
            assert await comes_back(client) < BACK
