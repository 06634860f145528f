"""Streams and their cursors: the client's pace, disconnections, outages, concurrent writes."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from httpx import AsyncClient
from pymongo import MongoClient
from pymongo.collection import Collection

from service.errors import DatabaseUnavailable
from service.mongo.access import CollectionAccess
from service.mongo.model import StuffDocument
from service.settings import Settings
from tests.support.applications import Application, listen
from tests.support.clients import connect
from tests.support.patience import TIMEOUT
from tests.support.streaming import NDJSON, PLAIN, fill, read

Documents = Collection[dict[str, Any]]


STREAM_BATCH = 50


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.queries.STREAM_BATCH", STREAM_BATCH)


@pytest.fixture
def cursors(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many cursors were opened and closed, and how many batches they brought."""
    counts = {"opened": 0, "closed": 0, "batches": 0}
    find_batches = StuffDocument.find_batches.__func__  # type: ignore[attr-defined]

    async def counted(cls: type[StuffDocument], *args: Any, **options: Any) -> Any:
        counts["opened"] += 1
        try:
            async for batch in find_batches(cls, *args, **options):
                counts["batches"] += 1
                yield batch
        finally:
            counts["closed"] += 1

    monkeypatch.setattr(StuffDocument, "find_batches", classmethod(counted))
    return counts


async def settled(counts: dict[str, int]) -> None:
    """Wait until no more batches come."""
    before = -1
    while counts["batches"] != before:
        before = counts["batches"]
        await asyncio.sleep(0.3)


async def test_a_stream_is_not_read_ahead_of_a_slow_client(
    settings: Settings, collection: Documents, cursors: dict[str, int]
) -> None:
    fill(collection, 20 * STREAM_BATCH, size=20_000)
    async with listen(settings) as url, connect(url) as client:
        async with client.stream("GET", "/stuff", headers=PLAIN) as response:
            chunks = response.aiter_raw()
            received = len(await anext(chunks))
            await settled(cursors)
            assert cursors["batches"] < 15  # the buffers of both sides hold the rest
            async for chunk in chunks:
                received += len(chunk)
        assert cursors["batches"] == 20
        assert received > 20 * STREAM_BATCH * 20_000


async def test_when_the_client_disconnects_the_cursor_is_closed(
    settings: Settings, collection: Documents, cursors: dict[str, int]
) -> None:
    fill(collection, 20 * STREAM_BATCH, size=20_000)
    async with listen(settings) as url, connect(url) as client:
        async with client.stream("GET", "/stuff", headers=NDJSON) as response:
            await anext(response.aiter_raw())
        async with asyncio.timeout(TIMEOUT):
            while not cursors["closed"]:
                await asyncio.sleep(0.01)
        assert cursors["batches"] < 20
        assert cursors["opened"] == 1


async def test_closing_a_stream_closes_the_cursor_in_the_database(
    application: Application, collection: Documents, mongo: MongoClient[dict[str, Any]]
) -> None:
    fill(collection, 3 * STREAM_BATCH)
    async with application() as client:
        database = client._transport.app.state.database  # type: ignore[attr-defined]
        batches = database.models["stuff"].find_batches(
            {}, share=database.queries, sort=[("_id", 1)], batch_size=10
        )
        assert len(await anext(batches)) == 10
        cursor = batches.ag_frame.f_locals["cursor"].cursor_id
        assert cursor
        await batches.aclose()
    command = {"killCursors": collection.name, "cursors": [cursor]}
    assert mongo[collection.database.name].command(command)["cursorsNotFound"] == [cursor]


class Flaky(CollectionAccess):
    """A database that is away in the middle of a stream."""

    def __init__(self, database: CollectionAccess, away: set[int]) -> None:
        self.__dict__ = database.__dict__
        self.away = away
        self.operations = 0

    def query(self) -> Any:
        self.operations += 1
        if self.operations in self.away:
            raise DatabaseUnavailable("It is away.")
        return super().query()


@pytest.mark.parametrize("sort", ["_id", "-n", "text,n"])
async def test_a_stream_goes_on_when_the_database_is_back(
    application: Application, collection: Documents, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr("service.store.queries.RETRY_DELAY", 0.01)
    fill(collection, 5 * STREAM_BATCH)
    async with application() as client:
        many = client._transport.app.state.collections["stuff"].queries  # type: ignore[attr-defined]
        many._database = Flaky(many._database, {2, 5, 6, 9})
        items = await read(client, sort=sort, limit=5 * STREAM_BATCH - 10)
        numbers = [item["n"] for item in items]
        assert len(numbers) == len(set(numbers)) == 5 * STREAM_BATCH - 10
        assert numbers == sorted(numbers, reverse=sort == "-n")


async def test_a_stream_that_cannot_go_on_breaks_off(
    settings: Settings, collection: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.queries.RETRY_DELAY", 0.001)
    fill(collection, 3 * STREAM_BATCH, size=4_000)
    query = CollectionAccess.query
    operations = 0

    def leave(self: CollectionAccess) -> Any:
        nonlocal operations
        operations += 1
        if operations > 2:
            raise DatabaseUnavailable("It left.")
        return query(self)

    async with listen(settings) as url, connect(url) as client:
        monkeypatch.setattr(CollectionAccess, "query", leave)
        async with client.stream("GET", "/stuff", headers=NDJSON) as response:
            assert response.status_code == 200
            with pytest.raises(httpx.RemoteProtocolError):
                async for _ in response.aiter_raw():
                    pass
        monkeypatch.undo()
        assert (await client.get("/stuff/000001")).status_code == 200


async def test_writes_during_a_stream_neither_repeat_nor_hide_an_untouched_document(
    live_client: AsyncClient, collection: Documents
) -> None:
    fill(collection, 6 * STREAM_BATCH, size=10_000)
    seen: list[int] = []
    async with live_client.stream("GET", "/stuff", headers=NDJSON) as response:
        async for line in response.aiter_lines():
            seen.append(json.loads(line)["n"])
            if len(seen) % 500 == 0:
                odd = f"{6 * STREAM_BATCH - len(seen) + 1:06}"
                await live_client.delete(f"/stuff/{odd}")
                await live_client.put(f"/stuff/{odd}x", json={"n": -1})
    assert [n for n in seen if n >= 0 and n % 2 == 0] == list(range(0, 6 * STREAM_BATCH, 2))
