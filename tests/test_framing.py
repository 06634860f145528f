"""Requests as bytes: malformed ones have no effect, and what they may contain is bounded."""

import asyncio
import logging
from typing import Any

import pytest
from pymongo.collection import Collection

from service.settings import Settings
from tests.support.applications import live
from tests.support.raw import Connection

Documents = Collection[dict[str, Any]]
GET = b"GET /stuff/a HTTP/1.1\r\nHost: localhost\r\n\r\n"


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
    (b"Transfer-Encoding: gzip, chunked\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    (b"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n", b"2\r\n{}\r\n0\r\n\r\n"),
    (b"Transfer-Encoding: chunked\r\n\r\n", b"nonsense\r\n"),
    (b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\nnonsense\r\n"),
    (b"Transfer-Encoding: chunked\r\n\r\n", b"0\r\nno colon\r\n\r\n"),
    (b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\n\r\n"),
]


async def test_the_log_warns_of_a_malformed_request(
    settings: Settings, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = logging.getLogger("uvicorn.error")
    async with live(settings) as client, Connection(client) as connection:
        monkeypatch.setattr(server, "filters", [])  # other tests may have set that of repetitions
        monkeypatch.setattr(server, "handlers", [caplog.handler])
        await connection.send(b"GET /secret\x00 HTTP/1.1\r\n\r\n")
        assert (await connection.read_all()).startswith(b"HTTP/1.1 400 ")
    assert caplog.messages.count("Invalid HTTP request received.") == 1


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
