"""Update operators on collections with a schema: what they make of a document fits it, or nothing
happens."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

from tests.support.applications import Application
from tests.support.declaring import declare
from tests.support.patching import update
from tests.support.problems import assert_problem

SCHEMA = {
    "required": ["n"],
    "properties": {"n": {"type": "integer", "maximum": 100}, "tags": {"maxItems": 2}},
}
COUNT = {"$inc": {"n": 1}}
KIB = 1024


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return declare(tmp_path, books={"schema": SCHEMA})


@pytest.fixture
async def client(application: Application, file: Path) -> AsyncIterator[AsyncClient]:
    async with application(collections=file) as client:
        yield client


async def test_what_fits_is_written(client: AsyncClient) -> None:
    put = await client.put("/books/a", json={"n": 1})
    first = await update(client, COUNT, "/books/a", if_match=put.headers["etag"])
    assert (first.status_code, first.json()) == (200, {"_id": "a", "n": 2})
    second = await update(client, {"$push": {"tags": "x"}}, "/books/a")
    assert second.json() == {"_id": "a", "n": 2, "tags": ["x"]}
    assert (await client.get("/books/a")).headers["etag"] == second.headers["etag"]


@pytest.mark.parametrize(
    ("operators", "pointer"),
    [
        ({"$inc": {"n": 1000}}, "/n"),
        ({"$set": {"n": "1"}}, "/n"),
        ({"$mul": {"n": 0.5}}, "/n"),
        ({"$unset": {"n": ""}}, ""),
        ({"$push": {"tags": {"$each": [1, 2, 3]}}, "$inc": {"n": 1}}, "/tags"),
    ],
)
@pytest.mark.parametrize("size", [1, 200 * KIB], ids=["small", "large"])
async def test_what_does_not_fit_changes_nothing(
    client: AsyncClient, operators: Any, pointer: str, size: int
) -> None:
    put = await client.put("/books/a", json={"n": 1, "text": "x" * size})
    for headers in ({}, {"if_match": put.headers["etag"]}):
        response = await update(client, operators, "/books/a", **headers)
        problem = assert_problem(response, 422, "schema-violation")
        assert [each["pointer"] for each in problem["errors"]] == [pointer]
    found = await client.get("/books/a")
    assert found.headers["etag"] == put.headers["etag"]
    assert found.headers["last-modified"] == put.headers["last-modified"]


async def test_a_document_is_created_only_if_it_fits(client: AsyncClient) -> None:
    missing = await update(client, COUNT, "/books/a")
    assert_problem(missing, 404, "document-not-found")
    unfit = await update(client, {"$push": {"tags": 1}}, "/books/a?upsert=true")
    assert_problem(unfit, 422, "schema-violation")
    assert (await client.get("/books/a")).status_code == 404
    created = await update(client, COUNT, "/books/a?upsert=true")
    assert (created.status_code, created.headers["location"]) == (201, "/books/a")
    assert (await update(client, COUNT, "/books/a?upsert=true")).json()["n"] == 2


async def test_conditions_hold_in_the_transaction(client: AsyncClient) -> None:
    await client.put("/books/a", json={"n": 1})
    stale = await update(client, COUNT, "/books/a", if_match='"0"')
    assert_problem(stale, 412, "precondition-failed")
    missing = await update(client, COUNT, "/books/b", if_match="*")
    assert_problem(missing, 404, "document-not-found")
    assert (await update(client, COUNT, "/books/a", if_match="*")).json()["n"] == 2
    unfit = await update(client, {"$inc": {"n": "x"}}, "/books/a")
    assert_problem(unfit, 422, "invalid-patch", pointer="/$inc/n")
    unfit = await update(client, {"$push": {"n": 1}}, "/books/a")
    assert_problem(unfit, 422, "invalid-patch", pointer="")


async def test_two_processes_count_up_to_the_maximum(application: Application, file: Path) -> None:
    async with application(collections=file) as one, application(collections=file) as other:
        await one.put("/books/a", json={"n": 80})
        answers = await asyncio.gather(
            *(update(client, COUNT, "/books/a") for client in (one, other) for _ in range(15))
        )
        assert sorted(each.status_code for each in answers) == [200] * 20 + [422] * 10
        assert (await one.get("/books/a")).json()["n"] == 100
