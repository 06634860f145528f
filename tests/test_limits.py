"""Limits: what is too much is refused at once, and who is too slow holds nobody up."""

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient
from prometheus_client import REGISTRY
from pymongo.collection import Collection

from service.documents.layout import Stored
from service.settings import Settings
from service.store.points import PointOperations
from tests.support.applications import Application, live
from tests.support.patience import TIMEOUT, patient
from tests.support.raw import Connection

CHUNKED = "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
EVENTS = {"Accept": "text/event-stream"}
UPGRADE = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n"


async def answer(connection: Connection) -> tuple[int, dict[str, Any]]:
    """The status and the problem of the next response."""
    response = await connection.response()
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """Documents are read when this is set."""
    event = asyncio.Event()
    get = PointOperations.get

    async def wait(self: PointOperations, id: str) -> Stored:
        await event.wait()
        return await get(self, id)

    monkeypatch.setattr(PointOperations, "get", wait)
    return event


def in_flight() -> float:
    return REGISTRY.get_sample_value("stuff_requests_in_flight") or 0.0


async def test_requests_beyond_the_limit_are_refused_at_once_and_others_finish(
    application: Application, slow: asyncio.Event
) -> None:
    before = in_flight()
    async with application(max_requests=3) as client:
        first = [asyncio.create_task(client.get(f"/stuff/{n}")) for n in range(3)]
        async with asyncio.timeout(TIMEOUT):
            while in_flight() < before + 3:
                await asyncio.sleep(0.01)
        refused = await client.get("/stuff/x")
        assert refused.status_code == 503
        assert refused.json()["type"] == "/problems/overloaded"
        assert refused.headers["retry-after"] == "1"
        assert (await client.get("/healthz")).status_code == 200
        slow.set()
        assert [(await task).status_code for task in first] == [404] * 3
        assert (await client.get("/stuff/x")).status_code == 404


async def test_followers_of_the_feed_do_not_count_as_requests_in_flight(settings: Settings) -> None:
    async with (
        live(settings, max_requests=1) as client,
        client.stream("GET", "/stuff", headers=EVENTS) as one,
        client.stream("GET", "/stuff", headers=EVENTS) as two,
    ):
        assert (one.status_code, two.status_code) == (200, 200)
        assert (await client.put("/stuff/a", json={})).status_code == 201


async def test_an_address_that_is_too_long_is_a_414(settings: Settings) -> None:
    async with live(settings, max_url_bytes=2000) as client:
        assert (await client.get("/stuff/" + "a" * 500)).status_code == 404
        for path in ("/stuff/" + "a" * 2000, "/stuff?filter=" + "a" * 2000):
            async with Connection(client) as connection:
                await connection.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                status, problem = await answer(connection)
                assert (status, problem["type"]) == (414, "/problems/url-too-long")
                assert problem["limit"] == 2000
                assert await connection.read() == b""


async def test_a_path_that_the_parser_of_addresses_does_not_take_is_a_414(
    live_client: AsyncClient,
) -> None:
    async with Connection(live_client) as connection:
        path = "/stuff/" + "a" * 65_529
        await connection.send(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        status, problem = await answer(connection)
        assert (status, problem["limit"]) == (414, 65_535)


async def test_headers_that_are_too_large_are_a_431(settings: Settings) -> None:
    async with live(settings, max_header_bytes=2000, max_url_bytes=2000) as client:
        assert (await client.get("/stuff/a", headers={"X-A": "a" * 1500})).status_code == 404
        for headers in ("X-A: " + "a" * 3000, "\r\n".join(f"X-{n}: {n}" for n in range(1000))):
            async with Connection(client) as connection:
                await connection.send(
                    f"GET /stuff/a HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n\r\n".encode()
                )
                status, problem = await answer(connection)
                assert (status, problem["type"]) == (431, "/problems/headers-too-large")
        async with Connection(client) as connection:  # without an end
            await connection.send(b"GET /stuff/a HTTP/1.1\r\nX: ")
            for _ in range(10):
                await connection.send(b"a" * 1000)
            assert (await answer(connection))[0] == 431


@pytest.mark.parametrize("sent", ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\nno colon\r\n\r\n"])
async def test_malformed_http_is_a_400(settings: Settings, sent: str) -> None:
    async with live(settings) as client, Connection(client) as connection:
        await connection.send(sent.encode())
        status, problem = await answer(connection)
        assert (status, problem["type"]) == (400, "/problems/bad-request")
        assert len(problem["request_id"]) == 32
        assert await connection.read() == b""


async def test_nonsense_after_a_request_does_not_lose_its_answer(settings: Settings) -> None:
    async with live(settings) as client, Connection(client) as connection:
        await connection.send(b"GET /stuff/a HTTP/1.1\r\nHost: localhost\r\n\r\nnonsense\r\n\r\n")
        assert (await answer(connection))[0] == 404
        assert await connection.read() == b""
    async with live(settings) as client, Connection(client) as connection:
        head = b"PUT /stuff/a HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        await connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nnonsense\r\n")
        assert (await answer(connection))[0] == 400
        assert await connection.read() == b""
        assert (await client.get("/stuff/a")).status_code == 404


@pytest.mark.parametrize("is_split", [False, True])
@pytest.mark.parametrize("framing", ["Content-Length: 2\r\n\r\n{}", CHUNKED])
async def test_a_request_for_another_protocol_is_answered_over_http_1_1(
    settings: Settings, framing: str, is_split: bool
) -> None:
    head, _, body = framing.partition("\r\n\r\n")
    put = f"PUT /stuff/%s HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}{head}\r\n\r\n"
    async with live(settings) as client, Connection(client) as connection:
        for id in ("a", "b"):
            await connection.send((put % id).encode())
            if is_split:
                await asyncio.sleep(0.05)
            await connection.send(body.encode())
            assert (await connection.response()).status_code == 201
        assert (await client.get("/stuff/b")).json() == {"_id": "b"}


async def test_repeated_requests_for_another_protocol_are_all_answered(settings: Settings) -> None:
    request = f"GET /stuff/a HTTP/1.1\r\nHost: localhost\r\n{UPGRADE}\r\n".encode()
    async with live(settings) as client, Connection(client) as connection:
        sending = asyncio.create_task(connection.send(request * 1100))
        for _ in range(1100):
            assert (await answer(connection))[0] == 404
        await sending


async def test_headers_that_do_not_arrive_in_time_are_a_408(settings: Settings) -> None:
    async with live(settings, client_timeout=patient(0.3)) as client:
        async with Connection(client) as connection:
            for byte in b"GET /stuff":
                await connection.send(bytes([byte]))
                await asyncio.sleep(0.02)
            status, problem = await answer(connection)
            assert (status, problem["type"]) == (408, "/problems/request-timeout")
        async with Connection(client) as connection:  # who says nothing is told nothing
            assert await connection.read() == b""
        # On a connection that was used before, too.
        async with Connection(client) as connection:
            await connection.send(b"GET /stuff/a HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await answer(connection))[0] == 404
            await connection.send(b"GET /stuff/a HT")
            assert (await answer(connection))[0] == 408


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson"])
async def test_a_body_that_does_not_arrive_in_time_is_a_408(settings: Settings, kind: str) -> None:
    async with (
        live(settings, client_timeout=patient(0.3)) as client,
        Connection(client) as connection,
    ):
        fields = f"Host: localhost\r\nContent-Type: {kind}\r\nContent-Length: 99"
        head = f"POST /stuff HTTP/1.1\r\n{fields}\r\n\r\n"
        await connection.send(head.encode() + b'{"a": 1')
        status, problem = await answer(connection)
        assert (status, problem["type"]) == (408, "/problems/request-timeout")


async def test_a_client_that_stops_reading_is_disconnected(
    settings: Settings, collection: Collection[dict[str, Any]]
) -> None:
    collection.insert_many([{"_id": n, "text": "x" * 10_000} for n in range(2000)])
    async with live(settings, client_timeout=patient(0.3), max_requests=1) as client:
        async with Connection(client) as connection:
            await connection.send(
                b"GET /stuff HTTP/1.1\r\nHost: localhost\r\nAccept: application/x-ndjson\r\n\r\n"
            )
            assert b" 200 " in await connection.read()
            async with asyncio.timeout(TIMEOUT):
                while (await client.get("/stuff/a")).status_code == 503:
                    await asyncio.sleep(0.05)
