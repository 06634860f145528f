"""Databases that speak MongoDB's protocol but lack a part of it, and collations."""

from typing import Any

import anyio
import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from service.documents.layout import MAX_DOCUMENT_BYTES
from service.mongo.exchange import exchange
from service.store import points
from tests.support.applications import Application
from tests.support.database import roles
from tests.support.database.answers import error
from tests.support.database.playing import Play
from tests.support.database.roles import Role
from tests.support.patience import TIMEOUT
from tests.support.problems import assert_problem

MERGE = {"Content-Type": "application/merge-patch+json", "Prefer": "return=minimal"}
ROLES = [roles.PRIMARY, roles.MONGOS, roles.STANDALONE, roles.DOCUMENTDB]


@pytest.mark.parametrize("size", [10, MAX_DOCUMENT_BYTES - 200], ids=["small", "large"])
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
async def test_conditional_writes_and_patches_work_everywhere(
    application: Application, play: Play, role: Role, size: int
) -> None:
    uri = play(role, forward=True).uri(retryWrites="false", readPreference="secondary")
    async with application(mongodb_uri=uri) as client:
        tag = (await client.put("/stuff/a", json={"x": "x" * size})).headers["etag"]
        body = {"x": "y" * size}
        stale = await client.put("/stuff/a", json=body, headers={"If-Match": '"0"'})
        assert_problem(stale, 412, "precondition-failed")
        replaced = await client.put("/stuff/a", json=body, headers={"If-Match": tag})
        assert replaced.status_code == 200
        patched = await client.patch("/stuff/a", content='{"n": 1}', headers=MERGE)
        assert patched.status_code == 204
        found = (await client.get("/stuff/a?fields=n")).json()
        assert found == {"_id": "a", "n": 1}
        tag = patched.headers["etag"]
        assert (await client.delete("/stuff/a", headers={"If-Match": tag})).status_code == 204
        assert (await client.get("/stuff/a")).status_code == 404


@pytest.mark.parametrize("size", [10, MAX_DOCUMENT_BYTES - 200], ids=["small", "large"])
async def test_a_document_that_another_program_changes_is_not_replaced(
    client: AsyncClient,
    collection: Collection[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    size: int,
) -> None:
    """Between reading and writing; the patch is made again of what is there by then."""
    await client.put("/stuff/a", json={"x": "x" * size})
    calls = 0

    async def intrude(*arguments: Any) -> bool:
        nonlocal calls
        calls += 1
        if calls == 1:
            collection.update_one({"_id": "a"}, {"$set": {"other": 1}})
        return await exchange(*arguments)

    monkeypatch.setattr(points, "exchange", intrude)
    await client.patch("/stuff/a", content='{"n": 1}', headers=MERGE)
    assert calls == 2
    found = (await client.get("/stuff/a?fields=n,other")).json()
    assert found == {"_id": "a", "other": 1, "n": 1}


async def test_numbers_of_the_same_value_are_the_same_content(
    client: AsyncClient,
    collection: Collection[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As documented of `service.mongo.exchange`: MongoDB compares by value."""
    await client.put("/stuff/a", json={"n": 1})

    async def intrude(*arguments: Any) -> bool:
        collection.update_one({"_id": "a"}, {"$set": {"n": 1.0}})
        return await exchange(*arguments)

    monkeypatch.setattr(points, "exchange", intrude)
    patched = await client.patch("/stuff/a", content='{"m": 2}', headers=MERGE)
    assert patched.status_code == 204
    assert (await client.get("/stuff/a")).json() == {"_id": "a", "n": 1, "m": 2}


async def test_a_collection_with_a_default_collation_is_not_served(
    application: Application, collection: Collection[dict[str, Any]]
) -> None:
    """By it "a" and "A" would be one id."""
    collection.database.create_collection(
        collection.name, collation={"locale": "en", "strength": 2}
    )
    async with application(server_selection_timeout=1) as client:
        for response in (
            await client.get("/stuff/a"),
            await client.put("/stuff/a", json={}),
            await client.get("/readyz"),
        ):
            problem = assert_problem(response, 503, "database-unavailable")
            assert "collation" in problem["detail"]
        collection.drop()
        collection.database.create_collection(collection.name, collation={"locale": "simple"})
        with anyio.fail_after(TIMEOUT):
            while (await client.put("/stuff/a", json={})).status_code != 201:
                await anyio.sleep(0.05)


async def test_only_the_collation_of_the_own_collection_counts(
    application: Application, collection: Collection[dict[str, Any]]
) -> None:
    neighbour = collection.database[f"{collection.name}_en"]
    collection.database.create_collection(neighbour.name, collation={"locale": "en"})
    collection.database.create_collection(collection.name)
    async with application() as client:
        assert (await client.get("/readyz")).status_code == 200
        assert (await client.put("/stuff/a", json={})).status_code == 201
        assert (await client.put("/stuff/A", json={})).status_code == 201


@pytest.mark.parametrize("code", [262, 8000])  # ExceededTimeLimit, AtlasError
async def test_a_collation_that_cannot_be_read_for_now_is_read_again(
    application: Application, play: Play, collection: Collection[dict[str, Any]], code: int
) -> None:
    """An answer that did not come is no permission."""
    collection.database.create_collection(collection.name, collation={"locale": "en"})
    database = play(roles.PRIMARY, forward=True)
    database.answer("listCollections", error(code))
    async with application(mongodb_uri=database.uri(), server_selection_timeout=1) as client:
        with anyio.fail_after(TIMEOUT):
            detail = ""
            while "collation" not in detail:
                response = await client.get("/readyz")
                detail = assert_problem(response, 503, "database-unavailable")["detail"]
                await anyio.sleep(0.05)
    assert len(database.commands("listCollections")) >= 2


async def test_a_reply_that_is_not_understood_does_not_end_the_setup(
    application: Application, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    database = play(roles.PRIMARY, forward=True)
    database.answer("listCollections", {"ok": 1.0})  # without a cursor
    async with application(mongodb_uri=database.uri()) as client:
        with anyio.fail_after(TIMEOUT):
            while (await client.get("/readyz")).status_code != 200:
                await anyio.sleep(0.05)
    assert "KeyError: 'cursor'" in caplog.text
