"""Streams: all documents, a line each, at the client's pace and in constant memory."""

import asyncio
import gzip
import json
from typing import Any

import httpx
import pytest
import zstandard
from httpx import AsyncClient
from pymongo import MongoClient
from pymongo.collection import Collection

from service.errors import DatabaseUnavailable
from service.mongo.database import Database
from service.mongo.model import StuffDocument
from service.settings import Settings
from tests.support.applications import Application, listen
from tests.support.clients import connect
from tests.support.patience import TIMEOUT

NDJSON = {"Accept": "application/x-ndjson"}
PLAIN = NDJSON | {"Accept-Encoding": "identity"}
Documents = Collection[dict[str, Any]]


def fill(collection: Documents, count: int, size: int = 10) -> None:
    text = "x" * size
    for start in range(0, count, 1000):
        ids = range(start, min(start + 1000, count))
        collection.insert_many([{"_id": f"{n:06}", "n": n, "text": text} for n in ids])


async def read(client: AsyncClient, **parameters: Any) -> list[dict[str, Any]]:
    response = await client.get("/stuff", params=parameters, headers=NDJSON)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.text == "" or response.text.endswith("\n")
    return [json.loads(line) for line in response.text.splitlines()]


async def test_a_stream_has_all_documents_one_per_line(
    client: AsyncClient, collection: Documents
) -> None:
    fill(collection, 2500)
    items = await read(client)
    assert [item["n"] for item in items] == list(range(2500))
    assert items[0] == (await client.get("/stuff/000000")).json()


async def test_a_stream_of_nothing_is_empty(client: AsyncClient) -> None:
    assert await read(client) == []


async def test_a_stream_accepts_the_parameters_of_a_page(
    client: AsyncClient, collection: Documents
) -> None:
    fill(collection, 1500)
    filter = '{"n": {"$lt": 1200}}'
    items = await read(client, filter=filter, sort="-n", fields="n", limit=1100, meta="true")
    assert [item["n"] for item in items] == list(range(1199, 99, -1))
    assert items[0].keys() == {"_id", "n"}  # nobody has recorded metadata
    page = (await client.get("/stuff", params={"sort": "text,-n", "limit": 1000})).json()
    items = await read(client, sort="text,-n", after=page["next"])
    assert [item["n"] for item in items] == list(range(499, -1, -1))


async def test_negotiated_responses_say_what_they_vary_on(
    client: AsyncClient, collection: Documents
) -> None:
    fill(collection, 10)
    for accept, media_type in (
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json, application/x-ndjson", "application/json"),
        ("application/json;q=0.5, application/x-ndjson", "application/x-ndjson"),
        ("application/json;q=0, */*", "application/x-ndjson"),
        ("text/html, application/x-ndjson;q=0.1", "application/x-ndjson"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "application/json"),
    ):
        response = await client.get("/stuff", headers={"Accept": accept})
        assert response.headers["content-type"] == media_type, accept
        assert response.headers["vary"].startswith("Accept")
    for accept in ("text/csv", "application/json;q=0", ""):
        response = await client.get("/stuff", headers={"Accept": accept})
        assert response.status_code == 406, accept
        assert response.json()["type"] == "/problems/not-acceptable"


def unpacked(content: bytes, coding: str | None) -> bytes:
    match coding:
        case "gzip":
            return gzip.decompress(content)
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(content)
    return content


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("identity", None),
        ("gzip;q=0", None),
        ("br, gzip;q=0.5", "gzip"),
        ("zstd", "zstd"),
        ("gzip, deflate, br, zstd", "zstd"),  # what browsers say
        ("gzip, zstd;q=0.5", "gzip"),
        ("*", "zstd"),
        ("*, zstd;q=0", "gzip"),
    ],
)
async def test_a_stream_is_compressed_for_clients_that_accept_it(
    live_client: AsyncClient, collection: Documents, accepted: str, coding: str | None
) -> None:
    fill(collection, 3000)
    headers = NDJSON | {"Accept-Encoding": accepted}
    async with live_client.stream("GET", "/stuff", headers=headers) as response:
        content = b"".join([chunk async for chunk in response.aiter_raw()])
    assert response.headers.get("content-encoding") == coding
    assert response.headers["vary"] == "Accept, Accept-Encoding"
    text = unpacked(content, coding)
    assert text.count(b"\n") == 3000
    assert coding is None or len(content) < len(text) / 5


async def test_head_of_a_stream_has_its_headers(client: AsyncClient) -> None:
    same = PLAIN | {"X-Request-ID": "same"}
    head = await client.head("/stuff", headers=same)
    get = await client.get("/stuff", headers=same)
    assert head.headers == get.headers
    assert head.content == b""


async def test_a_fault_at_the_beginning_is_a_problem(client: AsyncClient) -> None:
    parameters = {"filter": '{"a": {"$regex": "[a"}}'}
    response = await client.get("/stuff", params=parameters, headers=NDJSON)
    assert response.status_code == 422
    assert response.json()["parameter"] == "filter"


@pytest.mark.parametrize("limit", ["0", "99999999999999999999", "2147483648"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_limit_too_large_for_the_database_is_a_problem(
    client: AsyncClient, method: str, limit: str
) -> None:
    response = await client.request(method, "/stuff", params={"limit": limit}, headers=NDJSON)
    assert response.status_code == 422


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
        batches = database.model.find_batches(
            {}, share=database.queries, sort=[("_id", 1)], batch_size=10
        )
        assert len(await anext(batches)) == 10
        cursor = batches.ag_frame.f_locals["cursor"].cursor_id
        assert cursor
        await batches.aclose()
    command = {"killCursors": collection.name, "cursors": [cursor]}
    assert mongo[collection.database.name].command(command)["cursorsNotFound"] == [cursor]


class Flaky(Database):
    """A database that is away in the middle of a stream."""

    def __init__(self, database: Database, away: set[int]) -> None:
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
        many = client._transport.app.state.collection.queries  # type: ignore[attr-defined]
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
    query = Database.query
    operations = 0

    def leave(self: Database) -> Any:
        nonlocal operations
        operations += 1
        if operations > 2:
            raise DatabaseUnavailable("It left.")
        return query(self)

    async with listen(settings) as url, connect(url) as client:
        monkeypatch.setattr(Database, "query", leave)
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
