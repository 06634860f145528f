"""Keys and tokens for one collection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from service.security import make_key
from tests.support.applications import Application
from tests.support.declaring import declare
from tests.support.issuing import AUDIENCE, ISSUER, serving_issuer
from tests.support.problems import assert_problem

MERGE = {"Content-Type": "application/merge-patch+json"}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return declare(tmp_path, books={"name": "Book"}, notes={})


@asynccontextmanager
async def with_key(
    application: Application, scopes: str, **settings: Any
) -> AsyncIterator[AsyncClient]:
    """A client that has a key with these scopes."""
    token, key = make_key(scopes.split(","))
    async with application(api_keys=str(key), **settings) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def assert_lacks(response: Response, scope: str) -> None:
    assert_problem(response, 403, "forbidden")
    assert f'scope="{scope}"' in response.headers["www-authenticate"]


async def test_a_key_for_one_collection_may_use_no_other(
    application: Application, file: Path
) -> None:
    async with with_key(application, "read:books,write:books", collections=file) as client:
        assert (await client.put("/books/a", json={"n": 1})).status_code == 201
        assert (await client.get("/books/a")).json() == {"_id": "a", "n": 1}
        assert (await client.patch("/books/a", json={"n": 2}, headers=MERGE)).status_code == 200
        assert (await client.options("/books")).status_code == 204
        assert (await client.delete("/books", params={"filter": "{}"})).json() == {"deleted": 1}
        assert_lacks(await client.get("/notes/a"), "read:notes")
        assert_lacks(await client.put("/notes/a", json={}), "write:notes")
        assert_lacks(await client.options("/notes"), "read:notes")
        assert_lacks(
            await client.delete("/notes", params={"filter": "{}"}), "read:notes write:notes"
        )
        assert_lacks(await client.get("/stuff/a"), "read")
        assert_lacks(await client.put("/stuff/a", json={}), "write")
        assert_lacks(await client.get("/metrics"), "read")


async def test_options_of_a_collection_need_any_of_its_scopes(
    application: Application, file: Path
) -> None:
    """A client can find out so which collections its key is for."""
    for scope in ("read:books", "write:books"):
        async with with_key(application, scope, collections=file) as client:
            for path in ("/books", "/books/a"):
                options = await client.options(path)
                assert options.status_code == 204
                assert options.headers["allow"].startswith("GET, HEAD, P")
            for path in ("/notes", "/notes/a", "/stuff"):
                refused = await client.options(path)
                assert_lacks(refused, "read:notes" if "notes" in path else "read")
                assert " or " in refused.json()["detail"]


async def test_options_of_what_cannot_be_written_need_any_scope(
    application: Application, tmp_path: Path
) -> None:
    file = declare(tmp_path, books={"read_only": True})
    async with with_key(application, "write:books", collections=file) as client:
        assert (await client.options("/books")).headers["allow"] == "GET, HEAD, OPTIONS"
        assert_lacks(await client.get("/books"), "read:books")


async def test_scopes_without_a_name_hold_for_every_collection(
    application: Application, file: Path
) -> None:
    async with with_key(application, "read,write:notes", collections=file) as client:
        for name in ("stuff", "books"):
            assert (await client.get(f"/{name}")).status_code == 200
            assert_problem(await client.put(f"/{name}/a", json={}), 403, "forbidden")
        assert (await client.put("/notes/a", json={})).status_code == 201
        assert (await client.get("/notes/a")).status_code == 200
        assert (await client.get("/metrics")).status_code == 200


async def test_a_key_that_only_writes_a_collection_sees_nothing_of_it(
    application: Application, file: Path
) -> None:
    async with with_key(application, "write:books,read:notes", collections=file) as client:
        await client.put("/books/a", json={"secret": 1})
        patched = await client.patch("/books/a", json={"n": 2}, headers=MERGE)
        assert (patched.status_code, patched.content) == (204, b"")
        assert "etag" not in patched.headers
        shown = await client.put("/books/a", json={}, headers={"Prefer": "return=representation"})
        assert shown.content == b""
        assert_lacks(await client.get("/books/a"), "read:books")
        tested = [{"op": "test", "path": "/secret", "value": 1}]
        form = {"Content-Type": "application/json-patch+json"}
        assert_problem(await client.patch("/books/a", json=tested, headers=form), 403, "forbidden")


async def test_stuff_may_be_named_like_any_other_collection(application: Application) -> None:
    async with with_key(application, "read:stuff") as client:
        assert (await client.get("/stuff")).status_code == 200
        assert_problem(await client.put("/stuff/a", json={}), 403, "forbidden")


async def test_the_scopes_of_a_token_may_name_a_collection(
    application: Application, file: Path
) -> None:
    with serving_issuer() as issuer:
        trust = {"jwt_jwks_url": issuer.url, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
        prefixed = trust | {"jwt_scope_prefix": "store:"}
        for settings, prefix in ((trust, ""), (prefixed, "store:")):
            async with application(collections=file, **settings) as client:
                scope = f"{prefix}read:books {prefix}write:notes other read:"
                client.headers["Authorization"] = f"Bearer {issuer.token(scope=scope)}"
                assert (await client.get("/books")).status_code == 200
                assert_problem(await client.put("/books/a", json={}), 403, "forbidden")
                assert (await client.put("/notes/a", json={})).is_success
                assert_problem(await client.get("/notes/a"), 403, "forbidden")
                assert_problem(await client.get("/stuff"), 403, "forbidden")


async def test_with_keys_the_document_of_declared_collections_needs_one(
    application: Application, file: Path
) -> None:
    async with with_key(application, "write:notes", collections=file) as client:
        document = await client.get("/openapi.json")
        assert "/books/{id}" in document.json()["paths"]
        del client.headers["Authorization"]
        refused = await client.get("/openapi.json")
        assert_problem(refused, 401, "unauthorized")
        assert "books" not in refused.text
        for page in ("/docs", "/redoc", "/"):  # which ask for a key
            shown = await client.get(page)
            assert shown.status_code == 200
            assert "books" not in shown.text
    async with with_key(application, "read") as client:
        del client.headers["Authorization"]
        assert (await client.get("/openapi.json")).status_code == 200
    async with application(collections=file) as client:
        assert (await client.get("/openapi.json")).status_code == 200
