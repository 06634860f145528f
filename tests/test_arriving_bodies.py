"""A body is read in full, however it arrives."""

import asyncio
from typing import Any

import pytest
from pymongo.collection import Collection

from service.settings import Settings
from tests.support.applications import live
from tests.support.raw import Connection

BODY = b'{"name":"Ada","born":1815}'
PUT = b"PUT /stuff/ada HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
SIZED = PUT + b"Content-Length: %d\r\n\r\n" % len(BODY)
CHUNKED = PUT + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNKS = b"8\r\n" + BODY[:8] + b"\r\n%x\r\n" % (len(BODY) - 8) + BODY[8:] + b"\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        [SIZED + BODY],
        [SIZED, BODY],
        [SIZED + BODY[:8], BODY[8:]],
        [SIZED[:20], SIZED[20:] + BODY],
        [CHUNKED + CHUNKS],
        [CHUNKED + CHUNKS[:6], CHUNKS[6:]],
        [PUT + b"X-Long: " + b"x" * 6000 + b"\r\n" + SIZED[len(PUT) :] + BODY],
    ],
)
async def test_a_body_is_whole_in_however_many_parts_it_arrives(
    settings: Settings, collection: Collection[dict[str, Any]], parts: list[bytes]
) -> None:
    *first, last = parts
    async with live(settings) as client, Connection(client) as connection:
        for part in first:
            await connection.send(part)
            await asyncio.sleep(0.05)  # the server may see them apart
        response = await connection.request(last)
        assert response.status_code == 201
    assert {"_id": "ada", "name": "Ada", "born": 1815}.items() <= (
        collection.find_one({"_id": "ada"}) or {}
    ).items()


async def test_a_body_without_a_length_is_bounded_although_it_arrives_at_once(
    settings: Settings,
) -> None:
    async with (
        live(settings, max_body_bytes=len(BODY) - 1) as client,
        Connection(client) as connection,
    ):
        response = await connection.request(CHUNKED + CHUNKS)
        assert response.status_code == 413
