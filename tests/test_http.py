"""What the RFCs about HTTP ask of requests and responses, whatever they are about."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response
from pymongo.collection import Collection

from service.store.points import PointOperations
from service.web import static_files
from tests.support.applications import Application
from tests.support.problems import assert_problem
from tests.support.raw import Connection

OTHER = '"00000000000000000000000000000000"'
CROSS_ORIGIN = {"Origin": "https://a.example"}
PREFLIGHT = CROSS_ORIGIN | {"Access-Control-Request-Method": "PUT"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("PUT", "/stuff/new", {}, 201),
        ("PUT", "/stuff/a", {}, 200),
        ("GET", "/stuff/a", {}, 200),
        ("HEAD", "/stuff/a", {}, 200),
        ("GET", "/stuff/a?fields=x", {}, 200),
        ("GET", "/stuff/a", {"If-None-Match": "*"}, 304),
        ("GET", "/stuff", {}, 200),
        ("GET", "/stuff", {"Accept": "application/x-ndjson"}, 200),
        ("GET", "/stuff/none", {}, 404),
        ("GET", "/nothing", {}, 404),
        ("DELETE", "/stuff/a", {}, 204),
        ("GET", "/", {}, 200),
    ],
)
async def test_caches_must_revalidate(
    client: AsyncClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    await client.put("/stuff/a", json={"x": 1})
    content = b"{}" if method == "PUT" else None
    response = await client.request(method, path, content=content, headers=headers)
    assert response.status_code == status
    assert response.headers.get_list("cache-control") == ["no-cache"]


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/stuff/a", {}, 200),
        ("/stuff/a?meta=true", {}, 200),
        ("/stuff/a", {"If-None-Match": "*"}, 304),
        ("/stuff/a", {"If-Match": OTHER}, 412),
        ("/stuff/a?meta=maybe", {}, 422),
        ("/stuff/none", {}, 404),
        ("/stuff", {}, 200),
        ("/stuff", {"Accept": "application/x-ndjson"}, 200),
        ("/stuff", {"Accept": "image/png"}, 406),
        ("/stuff?limit=0", {}, 422),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_responses_that_depend_on_accept_say_so(
    client: AsyncClient, method: str, path: str, headers: dict[str, str], status: int
) -> None:
    await client.put("/stuff/a", json={"x": 1})
    response = await client.request(method, path, headers=headers)
    assert response.status_code == status
    [vary] = response.headers.get_list("vary")
    assert "Accept" in vary.split(", ")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/stuff/none", {}),
        ("/stuff/a%00", {}),
        ("/stuff/a", {"If-Match": OTHER}),
        ("/stuff?limit=0", {}),
        ("/nothing", {}),
        ("/problems/none", {}),
    ],
)
async def test_head_of_an_error_has_the_header_fields_of_get(
    live_client: AsyncClient, path: str, headers: dict[str, str]
) -> None:
    same = headers | {"X-Request-ID": "abc"}
    await live_client.put("/stuff/a", json={"x": 1})
    get = await live_client.get(path, headers=same)
    head = await live_client.head(path, headers=same)
    assert get.is_error
    assert head.status_code == get.status_code
    assert head.content == b""
    del get.headers["date"], head.headers["date"]
    assert head.headers == get.headers


async def test_the_tag_with_metadata_covers_the_time_of_the_last_write(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    first = await client.put("/stuff/a", json={"x": 1})
    plain = first.headers["etag"]
    shown = await client.get("/stuff/a", params={"meta": "true"})
    dated = shown.headers["etag"]
    moment = datetime.fromisoformat(shown.json()["_stuff"]["updated_at"])
    milliseconds = int(moment.timestamp() * 1000)
    assert dated == f'{plain[:-1]}.{milliseconds:x}"'

    same = {"If-None-Match": dated}
    assert (await client.get("/stuff/a", params={"meta": "true"}, headers=same)).status_code == 304
    assert (await client.get("/stuff/a", headers=same)).status_code == 304
    # With the plain tag it is not known whether the client has the same time.
    other = {"If-None-Match": plain}
    assert (await client.get("/stuff/a", params={"meta": "true"}, headers=other)).status_code == 200

    while (again := await client.put("/stuff/a", json={"x": 1})).headers["last-modified"]:
        newer = await client.get("/stuff/a", params={"meta": "true"}, headers=same)
        if newer.json()["_stuff"] != shown.json()["_stuff"]:
            break  # the clock has moved on by a millisecond
    assert again.headers["etag"] == plain
    assert newer.status_code == 200
    assert newer.headers["etag"] != dated

    assert_problem(
        await client.put("/stuff/a", json={}, headers={"If-Match": dated}),
        412,
        "precondition-failed",
    )
    current = {"If-Match": f"{OTHER}, {newer.headers['etag']}"}
    assert (await client.put("/stuff/a", json={"x": 1}, headers=current)).status_code == 200
    matched = {"If-Match": plain}
    assert (await client.put("/stuff/a", json={"x": 2}, headers=matched)).status_code == 200

    collection.update_one({"_id": "a"}, {"$set": {"x": 3}})  # the time is not known any more
    unknown = await client.get("/stuff/a", params={"meta": "true"})
    assert unknown.headers["etag"] == f'"{unknown.json()["_stuff"]["etag"]}.-"'
    known = {"If-Match": unknown.headers["etag"]}
    assert (await client.delete("/stuff/a", headers=known)).status_code == 204


def assert_dated(response: Response) -> str:
    """`Last-Modified`, which is not later than `Date`."""
    [date] = response.headers.get_list("date")
    modified: str = response.headers["last-modified"]
    assert parsedate_to_datetime(modified) <= parsedate_to_datetime(date)
    return modified


async def test_a_document_is_never_modified_after_the_date_of_the_response(
    live_client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    seconds = set[str]()
    while len(seconds) < 3:  # so that a second begins at any moment between two responses
        seconds.add(assert_dated(await live_client.put("/stuff/a", json={})))
        assert_dated(await live_client.get("/stuff/a"))
    # Written by a machine whose clock is ahead.
    ahead = datetime.now(UTC) + timedelta(hours=1)
    collection.update_one({"_id": "a"}, {"$set": {"_stuff.updated_at": ahead}})
    assert_dated(await live_client.get("/stuff/a"))


async def test_a_refused_request_has_a_date(live_client: AsyncClient) -> None:
    response = await live_client.get("/stuff/a", headers={"Host": "a b"})
    assert response.status_code == 400
    assert parsedate_to_datetime(response.headers["date"]).tzinfo == UTC


async def test_a_connection_can_be_used_after_a_fault_of_the_service(
    live_client: AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError("the reason")

    monkeypatch.setattr(PointOperations, "get", fail)
    async with Connection(live_client) as connection:
        failed = await connection.request(b"GET /stuff/a HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert failed.status_code == 500
        assert "connection" not in failed.headers
        alive = await connection.request(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert alive.json() == {"status": "ok"}
    assert "the reason" in caplog.text


async def test_a_partial_put_is_refused(client: AsyncClient) -> None:
    headers = {"Content-Range": "bytes 0-1/100"}
    refused = await client.put("/stuff/a", content=b"{}", headers=headers)
    assert_problem(refused, 400, "bad-request")
    assert (await client.get("/stuff/a")).status_code == 404


async def test_preflights_and_refusals_have_the_usual_header_fields(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise RuntimeError

    async def wait(*_: object) -> None:
        is_waiting.set()
        await is_over.wait()

    is_waiting, is_over = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(PointOperations, "get", fail)
    async with application(cors_origins="https://a.example", max_requests=1) as client:
        preflight = await client.options("/stuff/a", headers=PREFLIGHT | {"X-Request-ID": "abc"})
        failed = await client.get("/stuff/a", headers=CROSS_ORIGIN | {"X-Request-ID": "abc"})
        monkeypatch.setattr(PointOperations, "get", wait)
        waiting = asyncio.create_task(client.get("/stuff/a"))
        await is_waiting.wait()
        full = await client.get("/stuff/a", headers=CROSS_ORIGIN | {"X-Request-ID": "abc"})
        is_over.set()
        await waiting
    assert [preflight.status_code, failed.status_code, full.status_code] == [200, 500, 503]
    for response in (preflight, failed, full):
        assert response.headers["x-request-id"] == "abc"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["access-control-allow-origin"] == "https://a.example"


@pytest.mark.parametrize(
    ("version", "hosts"),
    [
        ("HTTP/1.1", []),
        ("HTTP/1.1", ["a", "b"]),
        ("HTTP/1.1", ["a", "a"]),
        ("HTTP/1.0", ["a", "a"]),
        ("HTTP/1.1", ["a b"]),
        ("HTTP/1.1", ["http://a"]),
        ("HTTP/1.1", ["a:b"]),
        ("HTTP/1.1", ["a@b"]),
        ("HTTP/2.0", ["a"]),
        ("HTTP/3.0", ["a"]),
        ("HTTP/0.9", ["a"]),
        ("HTTP/1.2", ["a"]),
    ],
)
async def test_other_versions_and_requests_without_one_host_are_refused(
    live_client: AsyncClient, version: str, hosts: list[str]
) -> None:
    fields = "".join(f"Host: {host}\r\n" for host in hosts)
    request = f"PUT /stuff/a {version}\r\n{fields}Content-Length: 2\r\n\r\n{{}}"
    async with Connection(live_client) as connection:
        refused = await connection.request(request.encode())
        assert refused.status_code == 400
        assert refused.json()["type"] == "/problems/bad-request"
        assert refused.headers["connection"] == "close"
        assert await connection.read_all() == b""
    assert (await live_client.get("/stuff/a")).status_code == 404


@pytest.mark.parametrize(
    "head",
    [
        "HTTP/1.0\r\n",
        "HTTP/1.1\r\nHost:\r\n",
        "HTTP/1.1\r\nHost: a_b.example:8000\r\n",
        "HTTP/1.1\r\nHost: [::1]:8000\r\n",
        "HTTP/1.1\r\nhost:  a\r\n",
    ],
)
async def test_other_hosts_are_served(live_client: AsyncClient, head: str) -> None:
    async with Connection(live_client) as connection:
        response = await connection.request(f"GET /healthz {head}\r\n".encode())
        assert response.status_code == 200


@pytest.mark.parametrize(
    "path", ["/assets/redoc.standalone.js", "/assets/page/main.js", "/", "/docs"]
)
@pytest.mark.parametrize("coding", ["identity", "gzip", "zstd"])
async def test_static_files_are_prepared_once_and_validated(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch, path: str, coding: str
) -> None:
    headers = {"Accept-Encoding": coding}
    first = await client.get(path, headers=headers)
    assert first.status_code == 200
    assert "https://cdn.redoc.ly" not in first.text
    assert first.headers["vary"] == "Accept-Encoding"
    if int(first.headers["content-length"]) > 2000:
        assert first.headers.get("content-encoding", "identity") == coding
    monkeypatch.setattr(static_files, "packed", None)
    monkeypatch.setattr(Path, "read_bytes", None)
    assert (await client.get(path, headers=headers)).content == first.content
    headers["If-None-Match"] = first.headers["etag"]
    same = await client.get(path, headers=headers)
    assert (same.status_code, same.content) == (304, b"")
    assert same.headers["etag"] == first.headers["etag"]
