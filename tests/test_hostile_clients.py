"""Clients that do not read, do not finish, or send what is refused: none holds a slot, memory or a
connection for longer than it may."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pymongo.collection import Collection

from service.server import connection_limits, http
from service.settings import Settings
from tests.support.applications import live
from tests.support.patience import TIMEOUT, patient
from tests.support.raw import Connection

Documents = Collection[dict[str, Any]]
GET = b"GET /stuff/a HTTP/1.1\r\nHost: localhost\r\n\r\n"
SOON = patient(0.3)


@pytest.fixture
def brief_idleness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections without a request are soon closed."""
    monkeypatch.setattr(http, "KEEP_ALIVE", SOON)


def in_flight() -> float:
    return REGISTRY.get_sample_value("stuff_requests_in_flight") or 0.0


async def until_reset(connection: Connection) -> None:
    """Wait until the server aborts the connection, without reading what it has sent before."""
    await connection.keep_sending(b"\r\n")


@pytest.mark.usefixtures("brief_idleness")
@pytest.mark.parametrize("path", ["/assets/swagger-ui-bundle.js", "/stuff/big", "/stuff?limit=9"])
async def test_a_client_that_reads_nothing_is_disconnected_and_takes_no_slot(
    settings: Settings, collection: Documents, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    collection.insert_many([{"_id": id, "text": "x" * 4_000_000} for id in ("big", "huge")])
    before = in_flight()
    async with live(settings, client_timeout=SOON, max_requests=2) as client:
        async with Connection(client) as one, Connection(client) as two, Connection(client) as more:
            for connection in (one, two, more):
                request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
                await connection.send(request * 32)
            async with asyncio.timeout(TIMEOUT):
                while (await client.get("/stuff/a")).status_code != 404 or in_flight() > before:
                    await asyncio.sleep(0.01)
            for connection in (one, two, more):
                await until_reset(connection)
    assert "Traceback" not in caplog.text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


async def test_a_client_that_reads_slowly_gets_everything(
    settings: Settings, collection: Documents
) -> None:
    collection.insert_one({"_id": "a", "text": "x" * 3_000_000})
    async with live(settings, client_timeout=SOON) as client, Connection(client) as connection:
        await connection.send(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        received = 0
        while part := await connection.read(400_000):
            received += len(part)
            await asyncio.sleep(SOON / 50)
        assert received > 3_000_000


async def test_a_client_that_reads_a_byte_now_and_then_is_disconnected(
    settings: Settings, collection: Documents
) -> None:
    collection.insert_one({"_id": "a", "text": "x" * 8_000_000})
    async with live(settings, client_timeout=SOON) as client, Connection(client) as connection:
        await connection.send(GET)
        async with asyncio.timeout(TIMEOUT):
            with suppress(ConnectionError):
                while await connection.read(1):
                    await connection.send(b"\r\n")  # fails when the server has aborted
                    await asyncio.sleep(SOON / 50)


@pytest.mark.usefixtures("brief_idleness")
async def test_a_small_response_that_nobody_reads_does_not_keep_the_connection_open(
    settings: Settings, collection: Documents
) -> None:
    collection.insert_one({"_id": "a", "text": "x" * 30_000})
    async with live(settings, client_timeout=SOON) as client, Connection(client) as connection:
        last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        await connection.send(GET * 200 + last)
        await until_reset(connection)


@pytest.mark.parametrize("count", [1, 2])
async def test_requests_wait_until_earlier_responses_are_read(
    settings: Settings, collection: Documents, count: int
) -> None:
    """And those that wait are not served before."""
    collection.insert_one({"_id": "a", "text": "x" * 8_000_000})
    put = b"PUT /stuff/b HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"
    async with live(settings) as client, Connection(client) as connection:
        await connection.send(GET * count + put)
        await connection.read()
        assert (await client.get("/stuff/b")).status_code == 404
        received = b""
        while b" 201 Created\r\n" not in received:
            received = received[-100:] + await connection.read()
        assert (await client.get("/stuff/b")).status_code == 200


async def test_those_who_have_not_read_for_longest_make_way_when_too_much_waits(
    settings: Settings, collection: Documents
) -> None:
    collection.insert_one({"_id": "a", "text": "x" * 8_000_000})
    async with live(settings, max_unread_bytes=1_000_000) as client:
        async with Connection(client) as first, Connection(client) as second:
            for connection in (first, second):
                await connection.send(GET)
                await connection.read(100)
            await until_reset(first)
            received = 0
            while received < 8_000_000:
                received += len(await second.read())


UNFINISHED = [
    b"",
    b"\r\n",
    GET + b"\r\n",
    b"GET /stuff/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n",
    b"DELETE /stuff/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n1;",
    b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n\r\n",
    b"POST /nothing HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n",
    b"PUT /stuff/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX:",
    b"PUT /stuff/a HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
    b"Content-Length: 9000\r\n\r\n",
    b"PUT /stuff/a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n"
    b"Content-Length: 9000\r\n\r\n",
    b"nonsense\r\n\r\n",
]


@pytest.mark.usefixtures("brief_idleness")
async def test_no_connection_lives_longer_whatever_it_dribbles(settings: Settings) -> None:
    async def dribble(sent: bytes) -> None:
        async with Connection(client) as connection:
            await connection.send(sent)
            await connection.keep_sending(b"\r\n" if sent in UNFINISHED[:3] else b"x")

    async with live(settings, client_timeout=SOON) as client:
        await asyncio.gather(*map(dribble, UNFINISHED))


async def test_the_connection_that_has_been_idle_longest_makes_way(settings: Settings) -> None:
    async with live(settings, max_connections=3) as client:
        idle = [Connection(client) for _ in range(3)]
        for connection in idle:
            await connection.__aenter__()
            await connection.send(GET)
            assert b" 404 " in await connection.read()
        await idle[0].send(GET)
        assert b" 404 " in await idle[0].read()
        async with Connection(client) as another:
            await another.send(GET)
            assert b" 404 " in await another.read()
            assert await idle[1].read() == b""
            for connection in (idle[2], idle[0], another):
                await connection.send(GET)
                assert b" 404 " in await connection.read()
        for connection in idle:
            await connection.__aexit__()


async def test_a_connection_is_refused_when_all_others_are_busy(
    settings: Settings, collection: Documents
) -> None:
    events = GET.replace(b"\r\n\r\n", b"\r\nAccept: text/event-stream\r\n\r\n")
    async with live(settings, max_connections=2) as client:
        async with Connection(client) as one, Connection(client) as two:
            for connection in (one, two):
                await connection.send(events)
                assert b" 200 " in await connection.read()
            async with Connection(client) as third:
                refused = await third.read_all()
                assert refused.startswith(b"HTTP/1.1 503 ")
                assert b"connections" in refused
                assert b"requests in flight" not in refused
        async with asyncio.timeout(TIMEOUT):
            while (await client.get("/stuff/a")).status_code != 404:
                await asyncio.sleep(0.01)


async def test_heads_that_are_not_completed_take_a_bounded_memory(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "MAX_HEAD_BYTES", 100_000)
    head = b"GET /stuff/a HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 40_000
    async with live(settings) as client, AsyncExitStack() as stack:
        connections = [await stack.enter_async_context(Connection(client)) for _ in range(4)]
        for connection in connections[:3]:
            await connection.send(head)
        assert await connections[0].read() == b""  # the oldest is closed
        await connections[3].send(GET)
        assert b" 404 " in await connections[3].read()
        await connections[2].send(b"\r\n\r\n")
        assert b" 404 " in await connections[2].read()
        # What is complete does not count any more.
        await connections[1].send(b"\r\n\r\n")
        assert b" 404 " in await connections[1].read()
