"""Streams: all documents, a line each, in the format and coding that the client accepts."""

import gzip
from typing import Any

import pytest
import zstandard
from httpx import AsyncClient
from pymongo.collection import Collection

from tests.support.streaming import NDJSON, PLAIN, fill, read

Documents = Collection[dict[str, Any]]


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
