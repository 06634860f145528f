"""Clients that do not read, do not finish, or send what is refused: none holds a slot, memory or a
connection for longer than it may."""

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from prometheus_client import REGISTRY
from pymongo.collection import Collection

from service.server import http
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


async def test_a_refusal_is_read_although_the_body_is_still_being_sent(settings: Settings) -> None:
    head = b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n"
    async with live(settings) as client, Connection(client) as connection:
        await connection.send(head)
        await connection.send(b"x" * 5_000_000)
        received = await connection.read_all()
        assert received.startswith(b"HTTP/1.1 405 ")
        assert b"\r\nconnection: close\r\n" in received


MALFORMED = [
    (b"Transfer-Encoding: gzip\r\n\r\n", b""),
    (b"Transfer-Encoding: chunked\r\n\r\n", b"nonsense\r\n"),
    (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\nnonsense\r\n"),
    (b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\nno colon\r\n\r\n"),
    (b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
]


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize(
    "line", [b"DELETE /stuff/a", b"DELETE /stuff?filter=%7B%7D", b"PUT /stuff/a", b"POST /stuff"]
)
async def test_a_request_that_is_refused_for_its_framing_has_no_effect(
    settings: Settings, collection: Documents, line: bytes, is_split: bool
) -> None:
    collection.insert_one({"_id": "a", "x": 1})
    async with live(settings) as client:
        for framing, body in MALFORMED:
            async with Connection(client) as connection:
                head = line + b" HTTP/1.1\r\nHost: localhost\r\n" + framing
                await connection.send(head if is_split else head + body)
                if is_split:
                    await client.get("/stuff/b")  # so that the server has seen the head
                    await connection.send(body)
                received = await connection.read_all()
                assert received.startswith(b"HTTP/1.1 400 "), (framing, received)
    assert list(collection.find()) == [{"_id": "a", "x": 1}]


async def test_a_request_with_a_body_that_nobody_reads_is_served_when_it_is_whole(
    settings: Settings, collection: Documents
) -> None:
    collection.insert_one({"_id": "a"})
    head = b"DELETE /stuff/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n"
    async with live(settings) as client, Connection(client) as connection:
        await connection.send(head + b"Expect: 100-continue\r\n\r\n")
        assert await connection.read() == b"HTTP/1.1 100 Continue\r\n\r\n"
        await connection.send(b"x" * 199_999)
        assert (await client.get("/stuff/a")).status_code == 200
        await connection.send(b"x" + GET)
        received = b""
        while b" 404 " not in received:
            received += await connection.read()
        assert received.startswith(b"HTTP/1.1 204 ")


async def test_a_body_that_nobody_reads_is_bounded(settings: Settings) -> None:
    head = b"GET /stuff/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 200000\r\n\r\n"
    async with (
        live(settings, max_body_bytes=1000) as client,
        Connection(client) as connection,
    ):
        await connection.send(head + b"x" * 2000)
        assert (await connection.read_all()).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "trailer",
    [
        "Content-Type: text/plain",
        "Content-Encoding: gzip",
        "If-Match: *",
        "Prefer: return=representation",
        "X-Request-ID: abc",
        "Host: other",
    ],
)
async def test_trailers_are_not_header_fields(settings: Settings, trailer: str) -> None:
    head = b"PUT /stuff/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    async with live(settings) as client, Connection(client) as connection:
        # In one piece, so that the trailers are there before the request is served.
        await connection.send(head + b"2\r\n{}\r\n0\r\n" + trailer.encode() + b"\r\n\r\n")
        received = await connection.read()
        assert received.startswith(b"HTTP/1.1 201 "), received
        assert b"x-request-id: abc" not in received
        assert b"preference-applied" not in received


async def test_a_key_in_a_trailer_opens_nothing(settings: Settings) -> None:
    key = "stuff_0000000000000000_" + "0" * 43
    keys = "0000000000000000 read,write " + "0" * 64
    chunked = b"Transfer-Encoding: chunked\r\n\r\n0\r\n"
    line = b"DELETE /stuff/a HTTP/1.1\r\nHost: localhost\r\n"
    async with live(settings, api_keys=keys) as client, Connection(client) as connection:
        await connection.send(line + chunked + f"Authorization: Bearer {key}\r\n\r\n".encode())
        received = await connection.read()
        assert received.startswith(b"HTTP/1.1 401 ")
        assert b'error="invalid_token"' not in received


async def test_trailers_are_bounded(settings: Settings) -> None:
    head = b"PUT /stuff/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    async with live(settings, max_header_bytes=2000, max_url_bytes=2000) as client:
        for trailers in (b"X: " + b"a" * 20_000, b"X: a\r\n" * 100):
            async with Connection(client) as connection:
                await connection.send(head + trailers)
                assert (await connection.read_all()).startswith(b"HTTP/1.1 431 ")


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
                assert (await third.read_all()).startswith(b"HTTP/1.1 503 ")
        async with asyncio.timeout(TIMEOUT):
            while (await client.get("/stuff/a")).status_code != 404:
                await asyncio.sleep(0.01)


async def test_pipelined_requests_are_parsed_as_they_are_answered(settings: Settings) -> None:
    async with live(settings) as client, Connection(client) as connection:
        reading = asyncio.create_task(connection.send(GET * 1500))
        received = rest = b""
        count = 0
        while count < 1500:
            received = rest + await connection.read()
            count += received.count(b"HTTP/1.1 404 ")
            rest = received[received.rfind(b"\n") + 1 :]
            count -= rest.count(b"HTTP/1.1 404 ")
        await reading


async def test_a_malformed_request_does_not_lose_the_answers_to_earlier_ones(
    settings: Settings,
) -> None:
    malformed = b"PUT /stuff/b HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nx"
    async with live(settings) as client, Connection(client) as connection:
        await connection.send(GET + GET + malformed)
        received = await connection.read_all()
        assert received.count(b"HTTP/1.1 404 ") == 2
        assert b"HTTP/1.1 201" not in received


@pytest.mark.parametrize(
    ("target", "fields", "status"),
    [
        ("/stuff", "X: a\r\n" * 10_000, 431),
        ("/stuff", ":\r\n" * 20_000, 400),
        ("/stuff?" + "a&" * 100, "", 400),
        ("/stuff?" + "a=&" * 80_000, "", 400),
        ("/stuff", "Accept: " + "a/b;q=0.1," * 6000 + "\r\n", 400),
        ("/stuff", "Accept-Encoding: " + "a," * 30_000 + "\r\n", 400),
        ("/stuff", "Accept: a/b" + ";a" * 30_000 + "\r\n", 400),
    ],
)
async def test_long_lists_are_counted_before_they_are_parsed(
    settings: Settings, collection: Documents, target: str, fields: str, status: int
) -> None:
    collection.insert_one({"_id": "a", "text": "x" * 10_000})  # so that a page can be compressed
    request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n{fields}\r\n"
    async with live(settings) as client, Connection(client) as connection:
        await connection.send(request.encode())
        received = await connection.read()
        assert received.startswith(f"HTTP/1.1 {status} ".encode())
        assert b"application/problem+json" in received
