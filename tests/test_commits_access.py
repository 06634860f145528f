"""Commits need the scopes for all that they touch, and tell nothing of what may not be read."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

from service.security import make_key
from tests.support.applications import Application
from tests.support.committing import commit, committed, documents, merge, put, write
from tests.support.declaring import declare
from tests.support.problems import assert_problem

TAG = '"00000000000000000000000000000000"'


@pytest.fixture
def file(tmp_path: Path) -> Path:
    schema = {"properties": {"n": {"type": "integer"}}}
    return declare(tmp_path, books={"schema": schema}, notes={})


@asynccontextmanager
async def with_keys(
    application: Application, file: Path, scopes: str
) -> AsyncIterator[tuple[AsyncClient, dict[str, str]]]:
    """A client that may do everything, and the header of a key with these scopes."""
    whole, whole_key = make_key(["read", "write"])
    part, part_key = make_key(scopes.split(","))
    async with application(api_keys=f"{whole_key};{part_key}", collections=file) as client:
        client.headers["Authorization"] = f"Bearer {whole}"
        yield client, {"Authorization": f"Bearer {part}"}


def of_books(write: dict[str, Any]) -> dict[str, Any]:
    return write | {"collection": "books"}


async def test_a_commit_needs_the_scope_of_each_collection(
    application: Application, file: Path
) -> None:
    async with with_keys(application, file, "write:books,read:notes") as (client, header):
        whole = dict(client.headers)
        client.headers.update(header)
        await committed(client, of_books(put("a", {"n": 1})))
        for name, scope in (("notes", "write:notes"), ("stuff", "write")):
            refused = await commit(
                client, of_books(put("b", {"n": 1})), put("b", {}, collection=name)
            )
            assert_problem(refused, 403, "forbidden")
            assert f'scope="{scope}"' in refused.headers["www-authenticate"]
        client.headers.update(whole)
        assert await documents(client, "/books") == {"a": {"n": 1}}


@pytest.mark.parametrize("scopes", ["read", "read:books", "read:books,read:notes"])
async def test_a_key_that_may_write_nowhere_makes_no_commit(
    application: Application, file: Path, scopes: str
) -> None:
    async with with_keys(application, file, scopes) as (client, header):
        client.headers.update(header)
        refused = await commit(client, of_books(put("a", {})))
        assert_problem(refused, 403, "forbidden")
        del client.headers["Authorization"]
        assert_problem(await commit(client, of_books(put("a", {}))), 401, "unauthorized")


COMPARING: list[dict[str, Any]] = [
    write("check", "a"),
    put("a", {}, if_match=TAG),
    merge("a", {}, if_none_match=TAG),
    write("json_patch", "a", [{"op": "test", "path": "/n", "value": 1}]),
    write("update", "a", {"$inc": {"n": 1}}),
]


@pytest.mark.parametrize("compares", COMPARING)
async def test_what_tells_the_content_needs_both_scopes_of_the_collection(
    application: Application, file: Path, compares: dict[str, Any]
) -> None:
    async with with_keys(application, file, "write:books,read:notes") as (client, header):
        await client.put("/books/a", json={"n": 1})
        client.headers.update(header)
        refused = await commit(client, of_books(compares))
        assert_problem(refused, 403, "forbidden")
        assert 'scope="read:books write:books"' in refused.headers["www-authenticate"]


async def test_who_may_only_write_sees_nothing_of_what_is_stored(
    application: Application, file: Path
) -> None:
    async with with_keys(application, file, "write:books,read:notes,write:notes") as keys:
        client, header = keys
        await client.put("/books/a", json={"n": 1, "secret": 2})
        client.headers.update(header)
        made = await committed(
            client,
            of_books(merge("a", {"n": 2})),
            of_books(put("b", {"n": 3})),
            put("c", {}, collection="notes"),
            of_books(put("d", {}, if_none_match="*")),
        )
        assert [list(each) for each in made] == [
            ["status", "id"],
            ["status", "id", "etag"],
            ["status", "id", "etag"],
            ["status", "id", "etag"],
        ]
        # A tag would confirm a guess of the content.
        exists = await commit(client, of_books(write("create", "a", {})))
        assert "etag" not in assert_problem(exists, 412, "precondition-failed", index=0)
        wrong = await commit(
            client, put("e", {}, collection="notes"), of_books(merge("a", {"n": "x"}))
        )
        problem = assert_problem(wrong, 422, "invalid-patch", index=1, pointer="/writes/1")
        assert "errors" not in problem
        # What is wrong with a document that was sent is no secret.
        sent = await commit(client, of_books(put("a", {"n": "x"})))
        assert assert_problem(sent, 422, "schema-violation", index=0)["errors"]


async def test_scopes_without_a_name_hold_for_all_collections(
    application: Application, file: Path
) -> None:
    async with with_keys(application, file, "write") as (client, header):
        client.headers.update(header)
        await committed(client, of_books(put("a", {})), put("b", {}, collection="notes"))


async def test_the_name_of_a_collection_that_does_not_exist_is_not_repeated(
    application: Application, file: Path
) -> None:
    async with with_keys(application, file, "write:books") as (client, header):
        client.headers.update(header)
        refused = await commit(client, put("a", {}, collection='x"\r\nX-Injected: 1'))
        assert_problem(refused, 422, "invalid-commit", pointer="/writes/0/collection")
        assert "x-injected" not in refused.headers
