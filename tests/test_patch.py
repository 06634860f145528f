"""PATCH in both formats: what is refused, the limits, and what a patch leaves as it was."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from tests.support.patching import MERGE, OPERATORS, PATCH, patch
from tests.support.problems import assert_problem


def deep(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(levels):
        document = {"a": document}
    return document


@pytest.mark.parametrize("form", [MERGE, PATCH, OPERATORS])
async def test_a_patch_that_is_not_json_is_400(client: AsyncClient, form: str) -> None:
    await client.put("/stuff/a", json={})
    assert_problem(await patch(client, b"{", form), 400, "malformed-json")


@pytest.mark.parametrize("form", ["application/json", "text/plain", None])
async def test_another_format_is_415_and_names_those_that_are_accepted(
    client: AsyncClient, form: str | None
) -> None:
    await client.put("/stuff/a", json={})
    headers = {"content-type": form} if form else {}
    response = await client.patch("/stuff/a", content="{}", headers=headers)
    assert_problem(response, 415, "unsupported-media-type")
    assert response.headers["accept-patch"] == f"{MERGE}, {PATCH}, {OPERATORS}"


async def test_a_missing_document_cannot_be_patched(client: AsyncClient) -> None:
    assert_problem(await patch(client, {"x": 1}, MERGE), 404, "document-not-found")


async def test_copies_of_copies_do_not_grow_without_bound(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"x": "x" * 1000})
    bomb = [{"op": "copy", "from": "", "path": f"/{number}"} for number in range(100)]
    response = await patch(client, bomb)
    assert response.status_code in (413, 422)
    bomb = [{"op": "copy", "from": "/x", "path": f"/{number}"} for number in range(9000)]
    assert (await patch(client, bomb)).status_code == 200
    bomb = [{"op": "copy", "from": "/x", "path": "/y"} for _ in range(10_001)]
    assert_problem(await patch(client, bomb), 422, "invalid-patch", pointer="")


async def test_a_patch_bomb_is_refused_before_it_grows(client: AsyncClient) -> None:
    """A key that BSON refuses once hid the size of what was copied: 1 kB made 333 MB."""
    await client.put("/stuff/a", json={"x": {}})
    bomb: list[Any] = [{"op": "add", "path": "/x/\0", "value": 1}]
    bomb += [{"op": "copy", "from": "/x", "path": f"/x/{number}"} for number in range(30)]
    assert_problem(await patch(client, bomb), 422, "invalid-patch", pointer="/0/path")
    bomb[0] = {"op": "add", "path": "/x/a", "value": 1}
    assert_problem(await patch(client, bomb), 413, "document-too-large")


async def test_a_patch_moves_no_more_than_can_be_moved_at_once(client: AsyncClient) -> None:
    numbers = list(range(300_000))
    await client.put("/stuff/a", json={"list": numbers})
    removals: list[Any] = [{"op": "remove", "path": "/list/0"}]
    moves = [{"op": "move", "from": "/list/0", "path": "/list/9"}]
    added = [{"op": "add", "path": "/list", "value": numbers}]
    for operations in (removals * 5000, moves * 5000, added + removals * 5000):
        response = await patch(client, operations)
        assert_problem(response, 422, "invalid-patch")
        assert "Split" in response.json()["detail"]
    few = removals * 20 + [{"op": "add", "path": "/list/-", "value": 1}]
    assert (await patch(client, few)).status_code == 200
    await client.put("/stuff/a", json={"list": numbers[:10_000]})
    assert (await patch(client, removals * 5000)).status_code == 200


async def test_a_message_does_not_contain_the_document(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"x": ["text"] * 1000})
    response = await patch(client, [{"op": "remove", "path": "/y"}])
    assert_problem(response, 422, "invalid-patch", pointer="/0")
    assert len(response.content) < 1000
    response = await patch(client, [{"op": "add", "path": "/x" * 101, "value": 1}])
    assert_problem(response, 422, "invalid-patch", pointer="/0/path")


async def test_a_patch_cannot_nest_deeper_than_a_document(client: AsyncClient) -> None:
    document: dict[str, Any] = {}
    for _ in range(98):
        document = {"a": document}
    await client.put("/stuff/a", json={"a": document})
    deeper = [
        {"op": "move", "from": "/a", "path": "/b"},
        {"op": "copy", "from": "/b", "path": "/b/a/b"},
    ]
    response = await patch(client, deeper)
    assert_problem(response, 422, "invalid-document")
    assert response.json()["pointer"].count("/") == 100


async def test_what_a_patch_leaves_alone_keeps_its_bson_type(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    oid = bson.ObjectId()
    date = datetime(2026, 11, 23, tzinfo=UTC)
    values = {
        "oid": oid,
        "deep": {"list": [date, bson.Int64(5)], "decimal": bson.Decimal128("1.5")},
        "code": bson.Code("f()"),
        "binary": b"\0",
        "odd": [[date], {"x": bson.MinKey()}],
        "changed": date,
    }
    collection.insert_one({"_id": "a", **values})
    operations = [
        {"op": "test", "path": "/oid", "value": {"$oid": str(oid)}},
        {
            "op": "test",
            "path": "/odd",
            "value": [
                [{"$date": "2026-11-23T00:00:00Z"}],
                {"x": {"$minKey": 1}},
            ],
        },
        {"op": "copy", "from": "/deep/list/0", "path": "/copied"},
        {"op": "replace", "path": "/changed/$date", "value": "soon"},
        {"op": "add", "path": "/x", "value": 1},
    ]
    assert (await patch(client, operations)).status_code == 200
    assert (await patch(client, {"y": 2}, MERGE)).status_code == 200
    raw = collection.find_one({"_id": "a"}, {"_id": 0, "_stuff": 0})
    expected = values | {"changed": {"$date": "soon"}, "copied": date, "x": 1, "y": 2}
    assert bson.encode(raw or {}) == bson.encode(expected)


async def test_extended_json_that_a_patch_changes_is_checked_too(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    collection.insert_one({"_id": "a", "date": datetime(2026, 11, 23, tzinfo=UTC)})
    operations = [
        {"op": "add", "path": "/date/x", "value": {}},
        {"op": "add", "path": "/date/x/a", "value": deep(97)},
    ]
    response = await patch(client, operations)
    assert_problem(response, 422, "invalid-document")
    assert response.json()["pointer"].startswith("/date/x/a/a")


async def test_concurrent_patches_never_lose_one_anothers_work(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"list": []})
    merges = [patch(client, {f"key{number}": number}, MERGE) for number in range(25)]
    appends = [
        patch(client, [{"op": "add", "path": "/list/-", "value": number}]) for number in range(25)
    ]
    for response in await asyncio.gather(*merges, *appends):
        assert response.status_code == 200
    document = (await client.get("/stuff/a")).json()
    assert sorted(document.pop("list")) == list(range(25))
    assert document == {"_id": "a", **{f"key{number}": number for number in range(25)}}
