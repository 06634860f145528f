"""Bulk loads: each line is stored or reported, and none is lost because of another."""

import gzip
import random
import tracemalloc
from typing import Any

import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from tests.support.applications import Application
from tests.support.loading import load
from tests.support.requests import NDJSON

Documents = Collection[dict[str, Any]]


async def test_lines_are_created_or_replaced_by_their_ids(client: AsyncClient) -> None:
    await client.put("/stuff/b", json={"old": True})
    response = await load(client, {"_id": "a", "n": 1}, {"_id": "b", "n": 2}, {"n": 3})
    assert response.status_code == 200
    report = response.json()
    assert report == {"lines": 3, "created": 2, "replaced": 1, "failed": 0, "errors": []}
    assert (await client.get("/stuff/b")).json() == {"_id": "b", "n": 2}
    items = (await client.get("/stuff")).json()["items"]
    assert [item["n"] for item in items] == [3, 1, 2]  # a UUIDv7 starts with a digit


async def test_a_loaded_document_is_what_a_put_would_have_made(
    client: AsyncClient, collection: Documents
) -> None:
    fields = {"z": 1, "a": {"$x": [1.0, 2**60, None]}, "": "ü"}
    await client.put("/stuff/put", json=fields)
    await load(client, {"_id": "load", **fields})
    put, loaded = collection.find_one("put"), collection.find_one("load")
    assert put is not None
    assert loaded is not None
    assert list(put) == list(loaded)
    assert put["_stuff"]["etag"] == loaded["_stuff"]["etag"]
    assert (await client.get("/stuff/load")).headers["etag"] == f'"{put["_stuff"]["etag"]}"'


async def test_a_document_read_with_its_metadata_can_be_loaded(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"n": 1})
    [item] = (await client.get("/stuff", params={"meta": "true"})).json()["items"]
    assert (await load(client, item)).json()["replaced"] == 1
    assert (await client.get("/stuff/a")).json() == {"_id": "a", "n": 1}


@pytest.mark.parametrize(
    ("line", "slug", "status", "pointer"),
    [
        (b'{"a": 1', "malformed-json", 400, None),
        (b"\xff", "malformed-json", 400, None),
        (b"nonsense", "malformed-json", 400, None),
        (b'{"a": NaN}', "malformed-json", 400, None),
        (b"[1]", "invalid-document", 422, ""),
        (b'{"a": 18446744073709551616}', "invalid-document", 422, "/a"),
        (b'{"$a": 1}', "invalid-document", 422, "/$a"),
        (b'{"_id": 5}', "invalid-document", 422, "/_id"),
        (b'{"_id": {"$oid": "a"}}', "invalid-document", 422, "/_id"),
        (b'{"_id": null}', "invalid-document", 422, "/_id"),
        (b'{"_id": ""}', "invalid-id", 422, None),
        (b'{"_id": "a\\u0000"}', "invalid-id", 422, None),
        (b'{"_stuff": 1}', "invalid-document", 422, "/_stuff"),
        (b'{"text": "' + b"x" * 1000 + b'"}', "body-too-large", 413, None),
    ],
)
async def test_a_line_that_cannot_be_stored_is_reported_and_affects_no_other(
    application: Application, line: bytes, slug: str, status: int, pointer: str | None
) -> None:
    async with application(max_body_bytes=1000) as client:
        response = await load(client, {"_id": "before"}, line, {"_id": "after"})
        report = response.json()
        assert (response.status_code, report["created"], report["failed"]) == (200, 2, 1)
        [error] = report["errors"]
        assert (error["line"], error["type"]) == (2, f"/problems/{slug}")
        assert (error["status"], error.get("pointer")) == (status, pointer)
        assert {"title", "detail", "instance"} <= error.keys()
        items = (await client.get("/stuff")).json()["items"]
        assert [item["_id"] for item in items] == ["after", "before"]


async def test_documents_that_the_database_refuses_are_reported(
    client: AsyncClient, collection: Documents
) -> None:
    collection.database.create_collection(collection.name, validator={"n": {"$not": {"$gt": 100}}})
    collection.create_index("code", unique=True, sparse=True)
    response = await load(
        client,
        {"_id": "a", "code": 1},
        {"_id": "b", "n": 101},
        {"_id": "c", "code": 1},
        {"_id": "d", "n": 1},
    )
    report = response.json()
    assert (report["created"], report["failed"]) == (2, 2)
    named = [(error["line"], error["type"]) for error in report["errors"]]
    assert named == [(2, "/problems/document-rejected"), (3, "/problems/duplicate-key")]
    # The same when the documents are there already.
    report = (await load(client, {"_id": "a", "n": 102}, {"_id": "d", "code": 1})).json()
    assert (report["replaced"], report["failed"]) == (0, 2)


async def test_empty_lines_are_only_counted(client: AsyncClient) -> None:
    body = b'\n{"_id": "a"}\r\n   \n\n{"_id": "b"}\n[]\n\n'
    report = (await client.post("/stuff", content=body, headers=NDJSON)).json()
    assert (report["lines"], report["created"], report["failed"]) == (7, 2, 1)
    assert report["errors"][0]["line"] == 6


async def test_an_empty_body_can_be_loaded(client: AsyncClient) -> None:
    report = (await client.post("/stuff", content=b"", headers=NDJSON)).json()
    assert report == {"lines": 0, "created": 0, "replaced": 0, "failed": 0, "errors": []}


async def test_the_last_of_several_lines_with_the_same_id_is_stored(client: AsyncClient) -> None:
    chance = random.Random(3)
    lines = [{"_id": f"{chance.randrange(40)}", "n": n} for n in range(2100)]
    report = (await load(client, *lines)).json()
    expected = {line["_id"]: line["n"] for line in lines}
    assert (report["created"], report["replaced"]) == (len(expected), 2100 - len(expected))
    items = (await client.get("/stuff")).json()["items"]
    assert {item["_id"]: item["n"] for item in items} == expected


async def test_loading_again_replaces_all(client: AsyncClient) -> None:
    lines = [{"_id": f"{n}", "n": n} for n in range(1100)]
    assert (await load(client, *lines)).json()["created"] == 1100
    again = (await load(client, *lines, {"_id": "new"})).json()
    assert (again["created"], again["replaced"]) == (1, 1100)


async def test_all_faults_are_counted_and_a_thousand_reported(
    client: AsyncClient,
) -> None:
    report = (await load(client, *([b"x", {"a": 1}] * 1500))).json()
    assert (report["created"], report["failed"], len(report["errors"])) == (1500, 1500, 1000)
    assert [error["line"] for error in report["errors"]] == list(range(1, 2001, 2))


async def test_refused_lines_are_reported_but_not_kept(client: AsyncClient) -> None:
    """Twenty lines of 16 MiB each once took 1.9 GB, and were answered with 335 MB."""
    size = 1024 * 1024
    lines = b"".join(b'{"$%s": [%d]}\n' % (b"a" * size, number) for number in range(20))
    packed = gzip.compress(lines, 1)
    del lines
    tracemalloc.start()
    try:
        response = await client.post(
            "/stuff", content=packed, headers=NDJSON | {"Content-Encoding": "gzip"}
        )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    report = response.json()
    assert (report["lines"], report["failed"], len(report["errors"])) == (20, 20, 20)
    assert {error["type"] for error in report["errors"]} == {"/problems/invalid-document"}
    assert len(response.content) < 20 * 1000
    assert peak < 30 * size  # one line takes 18 while it is parsed


async def test_a_report_is_bounded_whatever_the_lines_are(client: AsyncClient) -> None:
    line = b'{"%s": {"a": 1%s}}' % (b"a" * 900, b"0" * 30)
    response = await load(client, *[line] * 1200)
    report = response.json()
    assert report["failed"] == 1200
    assert 100 < len(report["errors"]) < 500
    assert len(response.content) < 600_000


async def test_other_types_and_codings_are_refused(client: AsyncClient) -> None:
    response = await client.post("/stuff", content=b"a,b", headers={"Content-Type": "text/csv"})
    assert response.status_code == 415
    assert "application/json" in response.headers["accept"]
    assert "application/x-ndjson" in response.headers["accept"]
    response = await load(client, {"a": 1}, **{"Content-Encoding": "br"})
    assert response.status_code == 415
    assert response.headers["accept-encoding"] == "gzip, identity"
