"""Declared collections: each does what `/stuff` does, and none knows of the others."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient
from pymongo import MongoClient

from service.settings import Settings
from tests.support.applications import Application, live
from tests.support.declaring import declare
from tests.support.problems import assert_problem
from tests.support.requests import NDJSON

LINES = {"Accept": "application/x-ndjson"}
MERGE = {"Content-Type": "application/merge-patch+json"}
WRITES = ("PUT", "PATCH", "DELETE", "POST")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return declare(
        tmp_path,
        books={"name": "Book", "mongodb": "library_books"},
        notes={},
        archive={"name": "Record", "mongodb": "old", "read_only": True},
    )


@pytest.fixture
async def client(application: Application, file: Path) -> AsyncIterator[AsyncClient]:
    async with application(collections=file) as client:
        yield client


@pytest.mark.parametrize("path", ["/stuff", "/books"])
async def test_a_document_of_any_collection_is_written_read_and_deleted(
    client: AsyncClient, path: str
) -> None:
    created = await client.put(f"{path}/a", json={"n": 1})
    assert (created.status_code, created.headers["location"]) == (201, f"{path}/a")
    tag = created.headers["etag"]
    read = await client.get(f"{path}/a", headers={"If-None-Match": tag})
    assert read.status_code == 304
    assert (await client.get(f"{path}/a")).json() == {"_id": "a", "n": 1}
    assert (await client.head(f"{path}/a")).headers["etag"] == tag
    patched = await client.patch(
        f"{path}/a", json={"n": 2}, headers=MERGE | {"If-Match": tag, "Prefer": "return=minimal"}
    )
    assert patched.status_code == 204
    assert_problem(
        await client.put(f"{path}/a", json={}, headers={"If-Match": tag}),
        412,
        "precondition-failed",
    )
    shown = await client.put(f"{path}/a", json={}, headers={"Prefer": "return=representation"})
    assert shown.headers["content-location"] == f"{path}/a"
    assert (await client.delete(f"{path}/a")).status_code == 204
    assert_problem(await client.get(f"{path}/a"), 404, "document-not-found")


@pytest.mark.parametrize("path", ["/stuff", "/books"])
async def test_any_collection_has_pages_streams_loads_and_counts(
    client: AsyncClient, path: str
) -> None:
    posted = await client.post(path, json={"n": 0})
    assert posted.headers["location"] == f"{path}/{posted.json()['_id']}"
    lines = b"\n".join(json.dumps({"_id": f"{n}", "n": n}).encode() for n in range(1, 5))
    report = (await client.post(path, content=lines, headers=NDJSON)).json()
    assert (report["created"], report["failed"]) == (4, 0)
    query: dict[str, str | int] = {"limit": 2, "sort": "n", "count": "true"}
    first = await client.get(path, params=query)
    assert first.json()["total"] == 5
    link = first.links["next"]["url"]
    assert link.startswith(f"{path}?limit=2&sort=n&count=true&after=")
    assert [item["n"] for item in (await client.get(link)).json()["items"]] == [2, 3]
    stream = await client.get(path, params={"filter": '{"n": {"$gt": 2}}'}, headers=LINES)
    assert [json.loads(line)["n"] for line in stream.text.splitlines()] == [3, 4]
    gone = await client.delete(path, params={"filter": '{"n": {"$lt": 3}}'})
    assert gone.json() == {"deleted": 3}


@pytest.mark.parametrize("path", ["/stuff", "/books"])
async def test_slashes_belong_to_ids_of_any_collection(client: AsyncClient, path: str) -> None:
    for id in ("a/b", "a%2Fb"):
        response = await client.put(f"{path}/{id}", json={})
        assert response.is_success
    assert (await client.get(f"{path}/a%2Fb")).json() == {"_id": "a/b"}
    nested = await client.put(f"{path}/books/stuff/x", json={})
    assert nested.headers["location"] == f"{path}/books%2Fstuff%2Fx"


async def test_one_id_in_two_collections_is_two_documents(
    client: AsyncClient, mongo: MongoClient[dict[str, Any]], settings: Settings
) -> None:
    for name in ("stuff", "books", "notes"):
        await client.put(f"/{name}/a", json={"in": name})
    await client.patch("/books/a", json={"patched": True}, headers=MERGE)
    await client.delete("/notes/a")
    assert (await client.get("/stuff/a")).json() == {"_id": "a", "in": "stuff"}
    assert (await client.get("/books/a")).json() == {"_id": "a", "in": "books", "patched": True}
    assert_problem(await client.get("/notes/a"), 404, "document-not-found")
    await client.delete("/books", params={"filter": "{}"})
    assert (await client.get("/stuff", params={"count": "true"})).json()["total"] == 1
    await client.put("/books/b", json={})
    database = mongo[settings.database]
    assert [document["_id"] for document in database["library_books"].find()] == ["b"]
    assert [document["_id"] for document in database[settings.collection].find()] == ["a"]


async def test_a_cursor_of_one_collection_is_refused_by_another(client: AsyncClient) -> None:
    for name in ("stuff", "books", "notes"):
        for id in "abc":
            await client.put(f"/{name}/{id}", json={})
    cursors = {
        name: (await client.get(f"/{name}", params={"limit": 1})).json()["next"]
        for name in ("stuff", "books", "notes")
    }
    for name in cursors:
        for origin, cursor in cursors.items():
            page = await client.get(f"/{name}", params={"limit": 1, "after": cursor})
            if origin == name:
                assert [item["_id"] for item in page.json()["items"]] == ["b"]
            else:
                assert_problem(page, 422, "invalid-parameter", parameter="after")


async def test_a_collection_that_is_only_read_refuses_every_write(
    client: AsyncClient, mongo: MongoClient[dict[str, Any]], settings: Settings
) -> None:
    mongo[settings.database]["old"].insert_one({"_id": "a", "n": 1})
    assert (await client.get("/archive/a")).json() == {"_id": "a", "n": 1}
    assert (await client.get("/archive", params={"count": "true"})).json()["total"] == 1
    for path in ("/archive", "/archive/a"):
        for method in WRITES:
            response = await client.request(method, path, json={}, params={"filter": "{}"})
            assert_problem(response, 405, "method-not-allowed")
            assert response.headers["allow"] == "GET, HEAD, OPTIONS"
        options = await client.options(path)
        assert options.headers["allow"] == "GET, HEAD, OPTIONS"
        assert "accept-patch" not in options.headers
    assert mongo[settings.database]["old"].count_documents({}) == 1


async def test_options_name_the_methods_of_any_collection(client: AsyncClient) -> None:
    for name in ("stuff", "books"):
        options = await client.options(f"/{name}/a")
        assert options.headers["allow"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
        assert "accept-patch" in options.headers
        options = await client.options(f"/{name}")
        assert options.headers["allow"] == "GET, HEAD, POST, DELETE, OPTIONS"


async def test_only_declared_names_are_served(client: AsyncClient) -> None:
    for path in ("/library_books", "/old/a", "/Books/a", "/book", "/books2/a", "//books/a"):
        assert_problem(await client.get(path), 404, "route-not-found")
        assert_problem(await client.put(path, json={}), 404, "route-not-found")
    assert_problem(await client.get("/books/"), 422, "invalid-id")


async def test_the_metrics_name_the_collection_and_no_id(client: AsyncClient) -> None:
    await client.put("/books/secret", json={})
    await client.get("/books")
    text = (await client.get("/metrics")).text
    assert 'method="PUT",route="/books/{id}"' in text
    assert 'method="GET",route="/books"' in text
    assert "secret" not in text


async def test_addresses_in_any_collection_have_the_prefix_of_a_proxy(
    settings: Settings, file: Path
) -> None:
    async with live(settings, collections=file, root_path="/api") as proxied:
        created = await proxied.put("/books/a%2Fb", json={})
        assert created.headers["location"] == "/api/books/a%2Fb"
        await proxied.put("/books/stuff", json={})
        page = await proxied.get("/books", params={"limit": 1})
        assert page.links["next"]["url"].startswith("/api/books?limit=1&after=")
        assert (await proxied.options("/books/a")).headers["allow"].startswith("GET, HEAD, PUT")
