"""Loads under way: lines are stored as they arrive, and a problem says how far a load has come."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterable
from typing import Any

import pytest
from httpx import AsyncClient

from service.errors import DatabaseUnavailable
from service.mongo.access import CollectionAccess
from service.store.loads import Loader
from tests.support.applications import Application
from tests.support.loading import load
from tests.support.patience import TIMEOUT
from tests.support.problems import assert_problem
from tests.support.requests import NDJSON


class Left(Exception):
    """The client gives up in the middle of its request."""


async def stored(client: AsyncClient, id: str) -> None:
    """Wait until there is such a document."""
    async with asyncio.timeout(TIMEOUT):
        while (await client.get(f"/stuff/{id}")).status_code != 200:
            await asyncio.sleep(0.01)


async def test_lines_that_fail_are_settled_as_they_arrive(application: Application) -> None:
    """They once waited for a batch of documents, in memory."""
    async with application(max_stream_bytes=5000) as client:

        async def pieces() -> AsyncIterator[bytes]:
            for _ in range(100):
                yield b"x\n" * 100

        problem = (await client.post("/stuff", content=pieces(), headers=NDJSON)).json()
        assert problem["status"] == 413
        assert problem["lines"] == problem["failed"] >= 1000


async def test_lines_may_arrive_in_any_pieces(live_client: AsyncClient) -> None:
    body = "\n".join(json.dumps({"_id": f"{n}", "text": "äöü" * n}) for n in range(60)).encode()

    async def pieces() -> AsyncIterator[bytes]:
        chance = random.Random(1)
        position = 0
        while position < len(body):
            size = chance.choice([1, 2, 100, 1000])
            yield body[position : position + size]
            position += size

    response = await live_client.post("/stuff", content=pieces(), headers=NDJSON)
    assert response.json()["created"] == 60
    assert (await live_client.get("/stuff/59")).json()["text"] == "äöü" * 59


async def test_lines_are_stored_as_they_arrive(live_client: AsyncClient) -> None:
    seen = asyncio.Event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"\n".join(b'{"_id": "%d"}' % n for n in range(1000)) + b"\n"
        await stored(live_client, "999")
        seen.set()
        yield b'{"_id": "last"}'

    response = await live_client.post("/stuff", content=pieces(), headers=NDJSON)
    assert seen.is_set()
    assert response.json()["created"] == 1001


async def test_what_has_arrived_before_the_client_left_is_stored(
    live_client: AsyncClient,
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"\n".join(b'{"_id": "%d"}' % n for n in range(1500)) + b"\n"
        await stored(live_client, "999")
        raise Left

    # Any other error, also of the client itself, fails the test.
    with pytest.raises(Left):
        await live_client.post("/stuff", content=pieces(), headers=NDJSON)
    counted = await live_client.get("/stuff", params={"count": "true"})
    assert counted.json().get("total") == 1000, counted.text
    assert (await live_client.put("/stuff/1", json={})).status_code == 200


async def test_too_long_a_stream_is_a_413_that_reports_how_far_it_was_stored(
    application: Application,
) -> None:
    lines = [{"_id": f"{n}", "text": "x" * 80} for n in range(3000)]
    async with application(max_stream_bytes=150_000) as client:

        async def pieces() -> AsyncIterator[bytes]:
            for line in lines:
                yield json.dumps(line).encode() + b"\n"

        response = await client.post("/stuff", content=pieces(), headers=NDJSON)
        assert response.status_code == 413
        problem = response.json()
        assert problem["lines"] == problem["created"] == 1000
        assert (await client.get("/stuff", params={"count": "true"})).json()["total"] == 1000


class Away(CollectionAccess):
    """A database that leaves after some operations."""

    def __init__(self, database: CollectionAccess, after: int) -> None:
        self.__dict__ = database.__dict__
        self.left = after

    def operation(self) -> Any:
        self.left -= 1
        if self.left < 0:
            raise DatabaseUnavailable("It left.")
        return super().operation()


async def test_when_the_database_goes_away_the_problem_reports_what_is_settled(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    started = Loader.__init__

    def leave_early(self: Loader, database: CollectionAccess, *others: Any) -> None:
        started(self, Away(database, after=2), *others)

    monkeypatch.setattr(Loader, "__init__", leave_early)
    async with application() as client:
        lines: Iterable[Any] = [{"_id": f"{n:04}"} for n in range(4000)]
        response = await load(client, b"[]", *lines)
        problem = assert_problem(response, 503, "database-unavailable")
        assert response.headers["retry-after"] == "1"
        assert (problem["lines"], problem["created"], problem["failed"]) == (2001, 2000, 1)
        total = (await client.get("/stuff", params={"count": "true"})).json()["total"]
        assert total == 2000
