"""Compressed bodies of requests."""

import gzip
import time

import pytest
from httpx import AsyncClient

from tests.support.applications import Application
from tests.support.patience import patient
from tests.support.requests import NDJSON


@pytest.mark.parametrize("members", [1, 3])
async def test_a_body_may_be_compressed(client: AsyncClient, members: int) -> None:
    parts = [b'{"_id": "%d"}\n' % n for n in range(300)]
    size = len(parts) // members
    packed = b"".join(
        gzip.compress(b"".join(parts[start : start + size])) for start in range(0, len(parts), size)
    )
    headers = NDJSON | {"Content-Encoding": "gzip"}
    report = (await client.post("/stuff", content=packed, headers=headers)).json()
    assert (report["created"], report["failed"]) == (300, 0)
    document = gzip.compress(b'{"packed": true}')
    response = await client.put(
        "/stuff/one", content=document, headers={"Content-Encoding": "gzip"}
    )
    assert response.status_code == 201
    assert (await client.get("/stuff/one")).json() == {"_id": "one", "packed": True}


@pytest.mark.parametrize(
    "packed",
    [
        b"plain",
        gzip.compress(b'{"_id": "a"}\n' * 9, mtime=0)[:-9],
        gzip.compress(b"{}", mtime=0)[:5] + b"x" * 20,
    ],
)
async def test_a_body_that_is_not_encoded_as_it_says_is_refused(
    client: AsyncClient, packed: bytes
) -> None:
    for method, path, types in (("POST", "/stuff", NDJSON), ("PUT", "/stuff/a", {})):
        headers = types | {"Content-Encoding": "gzip"}
        response = await client.request(method, path, content=packed, headers=headers)
        assert response.status_code == 400
        assert response.json()["type"] == "/problems/malformed-coding"


async def test_the_decompressed_size_is_bounded(application: Application) -> None:
    bomb = gzip.compress(b" " * 10_000_000)
    assert len(bomb) < 10_000
    async with application(max_body_bytes=10_000, max_stream_bytes=1_000_000) as client:
        headers = {"Content-Encoding": "gzip"}
        response = await client.put("/stuff/a", content=bomb, headers=headers)
        assert response.status_code == 413
        response = await client.post("/stuff", content=bomb, headers=NDJSON | headers)
        assert response.status_code == 413
        assert response.json()["limit"] == 1_000_000


async def test_a_body_of_many_empty_members_takes_time_in_proportion(client: AsyncClient) -> None:
    """Each member once copied all that came after it: minutes for 4 MB."""
    members = gzip.compress(b"", mtime=0) * 200_000
    start = time.process_time()
    response = await client.put("/stuff/a", content=members, headers={"Content-Encoding": "gzip"})
    assert response.status_code == 400  # there is no document in it
    assert time.process_time() - start < patient(10)
