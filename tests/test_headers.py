"""What every response carries."""

import gzip
import json
import logging
from typing import Any

import pytest
import zstandard
from httpx import AsyncClient
from pymongo.collection import Collection

from service.observability.logs import JsonFormatter, RequestId
from service.observability.request_ids import request_id
from service.store.points import PointOperations
from tests.support.applications import Application
from tests.support.problems import assert_problem

ALL = [
    ("GET", "/stuff"),
    ("PUT", "/stuff/a"),
    ("GET", "/stuff/none"),
    ("GET", "/nothing"),
    ("GET", "/"),
]


@pytest.mark.parametrize(("method", "path"), ALL)
async def test_every_response_has_the_id_of_its_request(
    client: AsyncClient, method: str, path: str
) -> None:
    made = await client.request(method, path, content=b"{}")
    assert len(made.headers["x-request-id"]) == 32
    again = await client.request(method, path, content=b"{}")
    assert again.headers["x-request-id"] != made.headers["x-request-id"]
    for sent in ("abc-123", "x" * 128):
        response = await client.request(method, path, content=b"{}", headers={"X-Request-ID": sent})
        assert response.headers["x-request-id"] == sent
        if response.is_error:
            assert response.json()["request_id"] == sent
    for odd in ("", "x" * 129, "a b", "ä"):
        headers = {b"X-Request-ID": odd.encode("latin-1")}
        response = await client.request(method, path, content=b"{}", headers=headers)
        assert len(response.headers["x-request-id"]) == 32


@pytest.mark.parametrize(("method", "path"), ALL)
async def test_browsers_neither_guess_nor_frame_nor_run(
    client: AsyncClient, method: str, path: str
) -> None:
    headers = (await client.request(method, path, content=b"{}")).headers
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    [policy] = headers.get_list("content-security-policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "server" not in headers


async def test_a_fault_of_the_service_has_these_headers_too_and_is_counted(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the secret reason")

    async def counted() -> str:
        text = (await client.get("/metrics")).text
        return "\n".join(line for line in text.splitlines() if 'status="500"' in line)

    monkeypatch.setattr(PointOperations, "get", fail)
    before = await counted()
    response = await client.get("/stuff/a", headers={"X-Request-ID": "abc"})
    assert response.status_code == 500
    assert response.json()["type"] == "/problems/internal-error"
    assert response.json()["request_id"] == response.headers["x-request-id"] == "abc"
    assert response.headers["x-content-type-options"] == "nosniff"
    assert "secret" not in response.text
    assert await counted() != before


async def test_other_origins_may_do_nothing_unless_they_are_named(
    application: Application,
) -> None:
    asked = {
        "Origin": "https://a.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "if-match,authorization",
    }
    async with application() as client:
        response = await client.get("/stuff", headers=asked)
        assert "access-control-allow-origin" not in response.headers
    async with application(cors_origins="https://a.example, https://b.example") as client:
        preflight = await client.options("/stuff/a", headers=asked)
        assert preflight.status_code == 200
        assert preflight.headers["access-control-allow-origin"] == "https://a.example"
        assert "PUT" in preflight.headers["access-control-allow-methods"]
        response = await client.put("/stuff/a", json={}, headers={"Origin": "https://b.example"})
        assert response.headers["access-control-allow-origin"] == "https://b.example"
        assert "ETag" in response.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in response.headers
        other = await client.get("/stuff", headers={"Origin": "https://c.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"Origin": "https://c.example"}, "origin"),
        ({"Access-Control-Request-Method": "TRACE"}, "method"),
        ({"Access-Control-Request-Headers": "x-other"}, "headers"),
    ],
)
async def test_a_preflight_that_is_refused_is_a_problem(
    application: Application, changed: dict[str, str], named: str
) -> None:
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "PUT"}
    async with application(cors_origins="https://a.example") as client:
        refused = await client.options("/stuff/a", headers=asked | changed)
    problem = assert_problem(refused, 400, "bad-request")
    assert f"its {named} is not allowed" in problem["detail"]
    assert ("access-control-allow-origin" in refused.headers) == (named != "origin")
    assert "Origin" in refused.headers["vary"]


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
async def test_large_pages_are_compressed_for_clients_that_accept_it(
    client: AsyncClient, collection: Collection[dict[str, Any]], coding: str
) -> None:
    collection.insert_many([{"_id": f"{n}", "text": "x" * 100} for n in range(50)])
    async with client.stream("GET", "/stuff", headers={"Accept-Encoding": coding}) as packed:
        content = b"".join([chunk async for chunk in packed.aiter_raw()])
    assert packed.headers["content-encoding"] == coding
    assert "Accept-Encoding" in packed.headers["vary"]
    plain = await client.get("/stuff", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    zstd = zstandard.ZstdDecompressor().decompressobj()
    unpacked = gzip.decompress if coding == "gzip" else zstd.decompress
    assert json.loads(unpacked(content)) == plain.json()
    small = await client.get("/stuff?limit=1", headers={"Accept-Encoding": coding})
    assert "content-encoding" not in small.headers


def record(message: str, *arguments: object) -> logging.LogRecord:
    made = logging.LogRecord("service.x", logging.WARNING, "x.py", 1, message, arguments, None)
    RequestId().filter(made)
    return made


def test_logs_have_the_id_of_the_request() -> None:
    token = request_id.set("abc")
    try:
        line = JsonFormatter().format(record("It is %s.", "so"))
        assert record("x").__dict__["suffix"] == " [abc]"
    finally:
        request_id.reset(token)
    fields = json.loads(line)
    assert fields.pop("time").endswith("+00:00")
    assert fields == {
        "level": "warning",
        "logger": "service.x",
        "message": "It is so.",
        "request_id": "abc",
    }
    assert "request_id" not in json.loads(JsonFormatter().format(record("x")))
