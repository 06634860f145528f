"""A budget of memory: large bodies and documents of all requests together are bounded."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from httpx import AsyncClient, Response

from service.errors import Overloaded
from service.mongo.exchange import exchange
from service.settings import Settings
from service.store import points
from service.store.budget import FREE, Budget
from tests.support.applications import live
from tests.support.patience import TIMEOUT
from tests.support.problems import assert_problem

LIMIT = 1_000_000
LARGE = 600_000  # two are more than the limit
NDJSON = {"Content-Type": "application/x-ndjson"}
MERGE = {"Content-Type": "application/merge-patch+json", "Prefer": "return=minimal"}


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[AsyncClient]:
    async with live(settings, max_total_body_bytes=LIMIT) as client:
        yield client


def body(size: int) -> bytes:
    return json.dumps({"a": "x" * size}).encode()


async def put(client: AsyncClient, size: int = LARGE, match: str = "") -> Response:
    headers = {"If-Match": match} if match else {}
    return await client.put("/stuff/large", content=body(size), headers=headers)


async def until(client: AsyncClient, status: int) -> None:
    """Put a large document until the answer is this."""
    async with asyncio.timeout(TIMEOUT):
        while (await put(client)).status_code != status:
            await asyncio.sleep(0.02)


@asynccontextmanager
async def stalled(
    client: AsyncClient, sent: bytes, *fields: str, line: str = "PUT /stuff/stalled"
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A request that has sent this, and sends no more for now."""
    target = urlsplit(str(client.base_url))
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    head = [f"{line} HTTP/1.1", f"Host: {target.netloc}", "Content-Length: 5000000", *fields]
    try:
        writer.write("\r\n".join([*head, "", ""]).encode() + sent)
        await writer.drain()
        yield reader, writer
    finally:
        writer.close()


def test_claims_share_a_budget() -> None:
    budget = Budget(1000)
    with budget.claim() as small, budget.claim() as one, budget.claim() as two:
        small.hold(FREE)
        assert budget.held == 0
        one.hold(FREE + 5000)  # alone, so other limits are enough
        one.hold(FREE + 400)
        two.hold(FREE + 600)
        assert budget.held == 1000
        with pytest.raises(Overloaded):
            one.hold(FREE + 401)
        assert budget.held == 1000
        two.release()
        one.hold(FREE + 401)
        assert budget.held == 401
    assert budget.held == 0


async def test_a_body_that_stalls_is_counted_until_its_client_leaves(client: AsyncClient) -> None:
    async with stalled(client, body(LARGE)):
        await until(client, 503)
        refused = await put(client)
        assert_problem(refused, 503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        # Small documents are written all the same.
        assert (await client.put("/stuff/small", content=body(50_000))).status_code == 201
        async with client.stream("POST", "/stuff", content=body(LARGE), headers=NDJSON) as load:
            problem = json.loads(await load.aread())
        assert (load.status_code, problem["type"]) == (503, "/problems/overloaded")
        assert (problem["lines"], problem["failed"]) == (0, 0)
    await until(client, 201)


async def test_a_load_is_counted_while_it_holds_a_line(client: AsyncClient) -> None:
    fields = ["Content-Type: application/x-ndjson"]
    async with stalled(client, body(LARGE), *fields, line="POST /stuff") as (_, writer):
        await until(client, 503)
        writer.write(b"\n" + body(10))  # the line is stored with the batch
        await writer.drain()
        writer.close()
        await until(client, 201)


async def test_a_compressed_body_holds_only_what_was_sent_until_it_is_complete(
    client: AsyncClient,
) -> None:
    """Twelve requests with 32 kB of gzip once held 373 MB until they timed out."""
    packed = gzip.compress(body(30_000_000))[:-8]
    assert 20_000 < len(packed) < FREE
    async with (
        stalled(client, packed, "Content-Encoding: gzip") as (reader, _),
        stalled(client, packed, "Content-Encoding: gzip"),
    ):
        for _ in range(5):
            assert (await put(client, 900_000)).status_code in (200, 201)
        assert not reader.at_eof()


async def test_whatever_ends_a_request_frees_what_it_held(client: AsyncClient) -> None:
    for _ in range(3):
        assert (await put(client, 30_000_000)).status_code == 413
        malformed = await client.put("/stuff/large", content=body(LARGE) + b"}")
        assert_problem(malformed, 400, "malformed-json")
        packed = gzip.compress(body(LARGE) * 3, 0)
        coded = await client.put(
            "/stuff/large", content=packed[:-5], headers={"Content-Encoding": "gzip"}
        )
        assert_problem(coded, 400, "malformed-coding")
        failed = await client.post("/stuff", content=b"x" * LARGE, headers=NDJSON)
        assert failed.json()["failed"] == 1
        assert_problem(await put(client, match='"0"'), 412, "precondition-failed")
    await put(client)
    assert (await put(client, match="*")).status_code == 200


async def test_what_patches_hold_is_counted(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id in ("a", "b"):
        assert (await client.put(f"/stuff/{id}", content=body(400_000))).status_code == 201
    begun, ended = asyncio.Event(), asyncio.Event()

    async def slowly(*arguments: Any) -> bool:
        begun.set()
        await ended.wait()
        return await exchange(*arguments)

    monkeypatch.setattr(points, "exchange", slowly)
    first = asyncio.create_task(client.patch("/stuff/a", content=b'{"n": 1}', headers=MERGE))
    async with asyncio.timeout(TIMEOUT):
        await begun.wait()
    second = await client.patch("/stuff/b", content=b'{"n": 1}', headers=MERGE)
    assert_problem(second, 503, "overloaded")
    ended.set()
    assert (await first).status_code == 204
    assert (await client.patch("/stuff/b", content=b'{"n": 1}', headers=MERGE)).status_code == 204
