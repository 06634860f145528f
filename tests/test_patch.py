"""PATCH: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902)."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import bson
import pytest
from httpx import AsyncClient, Response
from pymongo.collection import Collection

from tests.support.problems import assert_problem

MERGE = "application/merge-patch+json"
PATCH = "application/json-patch+json"


def deep(levels: int) -> dict[str, Any]:
    document: dict[str, Any] = {}
    for _ in range(levels):
        document = {"a": document}
    return document


async def patch(client: AsyncClient, body: Any, form: str = PATCH, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body)
    return await client.patch(
        "/stuff/a", content=content, headers={"content-type": form, **headers}
    )


# RFC 7396, appendix A, for documents: what is patched, the patch, and the result, or None where the
# result is no object and so no document.
MERGES: list[tuple[Any, Any, Any]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"a": "b"}, ["c"], None),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", None),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ({"a": [1, 2]}, {"a": {"b": "c"}}, {"a": {"b": "c"}}),
]


@pytest.mark.parametrize(("document", "merge", "result"), MERGES)
async def test_merge_patches_of_the_rfc(
    client: AsyncClient, document: Any, merge: Any, result: Any
) -> None:
    await client.put("/stuff/a", json=document)
    response = await patch(client, merge, MERGE)
    if result is None:
        assert_problem(response, 422, "invalid-document", pointer="")
        result = document
    else:
        assert response.status_code == 200
        assert response.json() == {"_id": "a", **result}
    found = await client.get("/stuff/a")
    assert list(found.json().items()) == [("_id", "a"), *result.items()]


# RFC 6902, appendix A: the document, the operations, and the result or the problem.
PATCHES: dict[str, tuple[Any, list[Any], Any]] = {
    "A.1 adding an object member": (
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux"}],
        {"foo": "bar", "baz": "qux"},
    ),
    "A.2 adding an array element": (
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    "A.3 removing an object member": (
        {"baz": "qux", "foo": "bar"},
        [{"op": "remove", "path": "/baz"}],
        {"foo": "bar"},
    ),
    "A.4 removing an array element": (
        {"foo": ["bar", "qux", "baz"]},
        [{"op": "remove", "path": "/foo/1"}],
        {"foo": ["bar", "baz"]},
    ),
    "A.5 replacing a value": (
        {"baz": "qux", "foo": "bar"},
        [{"op": "replace", "path": "/baz", "value": "boo"}],
        {"baz": "boo", "foo": "bar"},
    ),
    "A.6 moving a value": (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    "A.7 moving an array element": (
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    "A.8 testing a value: success": (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [
            {"op": "test", "path": "/baz", "value": "qux"},
            {"op": "test", "path": "/foo/1", "value": 2},
        ],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    "A.9 testing a value: error": (
        {"baz": "qux"},
        [{"op": "test", "path": "/baz", "value": "bar"}],
        (409, "patch-test-failed", "/0"),
    ),
    "A.10 adding a nested member object": (
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    "A.11 ignoring unrecognized elements": (
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123, "from": 0}],
        {"foo": "bar", "baz": "qux"},
    ),
    "A.12 adding to a nonexistent target": (
        {"foo": "bar"},
        [{"op": "add", "path": "/baz/bat", "value": "qux"}],
        (422, "invalid-patch", "/0"),
    ),
    "A.14 ~ escape ordering": (
        {"/": 9, "~1": 10},
        [{"op": "test", "path": "/~01", "value": 10}],
        {"/": 9, "~1": 10},
    ),
    "A.15 comparing strings and numbers": (
        {"/": 9, "~1": 10},
        [{"op": "test", "path": "/~01", "value": "10"}],
        (409, "patch-test-failed", "/0"),
    ),
    "A.16 adding an array value": (
        {"foo": ["bar"]},
        [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
        {"foo": ["bar", ["abc", "def"]]},
    ),
    "copying": (
        {"a": {"b": [1]}},
        [
            {"op": "copy", "from": "/a", "path": "/c"},
            {"op": "add", "path": "/c/b/-", "value": 2},
        ],
        {"a": {"b": [1]}, "c": {"b": [1, 2]}},
    ),
    "testing the id": ({"x": 1}, [{"op": "test", "path": "/_id", "value": "a"}], {"x": 1}),
    "true is not 1": (
        {"x": True},
        [{"op": "test", "path": "/x", "value": 1}],
        (409, "patch-test-failed", "/0"),
    ),
    "1 is 1.0": ({"x": 1}, [{"op": "test", "path": "/x", "value": 1.0}], {"x": 1}),
    "all or nothing": (
        {"x": 1},
        [{"op": "remove", "path": "/x"}, {"op": "remove", "path": "/x"}],
        (422, "invalid-patch", "/1"),
    ),
    "replacing the whole": (
        {"x": 1},
        [{"op": "replace", "path": "", "value": {"_id": "a", "y": 2}}],
        {"y": 2},
    ),
    "nothing": ({"x": 1}, [], {"x": 1}),
    "changing the id": (
        {"x": 1},
        [{"op": "replace", "path": "/_id", "value": "b"}],
        (422, "invalid-document", "/_id"),
    ),
    "removing the id": (
        {"x": 1},
        [{"op": "remove", "path": "/_id"}],
        (422, "invalid-document", "/_id"),
    ),
    "setting the metadata": (
        {"x": 1},
        [{"op": "add", "path": "/_stuff", "value": {"etag": "x"}}],
        (422, "invalid-document", "/_stuff"),
    ),
    "removing the metadata": (
        {"x": 1},
        [{"op": "remove", "path": "/_stuff"}],
        (422, "invalid-patch", "/0"),
    ),
    "a top-level dollar": (
        {"x": 1},
        [{"op": "move", "from": "/x", "path": "/$x"}],
        (422, "invalid-document", "/$x"),
    ),
    "a NUL in a key": (
        {"x": {}},
        [{"op": "add", "path": "/x/a\0", "value": 1}],
        (422, "invalid-patch", "/0/path"),
    ),
    "copying a key with a NUL": (
        {"x": {}},
        [
            {"op": "add", "path": "/x/a\0", "value": 1},
            {"op": "copy", "from": "/x", "path": "/y"},
        ],
        (422, "invalid-patch", "/0/path"),
    ),
    "copying what is behind the last": (
        {"x": [1]},
        [{"op": "copy", "from": "/x/-", "path": "/y"}],
        (422, "invalid-patch", "/0"),
    ),
    "an array": (
        {"x": 1},
        [{"op": "replace", "path": "", "value": []}],
        (422, "invalid-document", ""),
    ),
    "an unknown operation": ({}, [{"op": "append", "path": "/x"}], (422, "invalid-patch", "/0/op")),
    "no operation": ({}, [{"path": "/x"}], (422, "invalid-patch", "/0/op")),
    "no path": ({}, [{"op": "remove"}], (422, "invalid-patch", "/0")),
    "no value": ({}, [{"op": "add", "path": "/x"}], (422, "invalid-patch", "/0")),
    "no pointer": ({}, [{"op": "remove", "path": "x"}], (422, "invalid-patch", "/0/path")),
    "a number": ({}, [{"op": "copy", "path": "/x", "from": 1}], (422, "invalid-patch", "/0/from")),
    "no object": ({}, ["add"], (422, "invalid-patch", "/0")),
}


@pytest.mark.parametrize(("document", "operations", "result"), PATCHES.values(), ids=PATCHES)
async def test_json_patches(
    client: AsyncClient, document: Any, operations: list[Any], result: Any
) -> None:
    await client.put("/stuff/a", json=document)
    response = await patch(client, operations)
    if isinstance(result, tuple):
        status, slug, pointer = result
        assert_problem(response, status, slug, pointer=pointer)
        result = document
    else:
        assert response.status_code == 200
        assert response.json() == {"_id": "a", **result}
    found = await client.get("/stuff/a")
    assert found.json() == {"_id": "a", **result}
    if response.status_code == 200:
        assert response.headers["etag"] == found.headers["etag"]


async def test_a_repeated_member_of_an_operation_is_refused(client: AsyncClient) -> None:
    """RFC 6902, A.13: an operation with two members `op`."""
    await client.put("/stuff/a", json={})
    body = b'[{"op": "add", "path": "/baz", "value": "qux", "op": "remove"}]'
    assert_problem(await patch(client, body), 422, "invalid-document", pointer="/0/op")


@pytest.mark.parametrize("body", [{}, 1, "x", None])
async def test_a_json_patch_that_is_not_an_array_is_422(client: AsyncClient, body: Any) -> None:
    await client.put("/stuff/a", json={})
    assert_problem(await patch(client, body), 422, "invalid-patch", pointer="")


@pytest.mark.parametrize("form", [MERGE, PATCH])
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
    assert response.headers["accept-patch"] == f"{MERGE}, {PATCH}"


async def test_a_missing_document_cannot_be_patched(client: AsyncClient) -> None:
    assert_problem(await patch(client, {"x": 1}, MERGE), 404, "document-not-found")


async def test_merging_the_id_or_the_metadata(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"x": 1})
    assert (await patch(client, {"_id": "a", "y": 1}, MERGE)).status_code == 200
    for body, pointer in (
        ({"_id": "b"}, "/_id"),
        ({"_id": None}, "/_id"),
        ({"_stuff": {"etag": "x"}}, "/_stuff"),
        ({"$x": 1}, "/$x"),
    ):
        response = await patch(client, body, MERGE)
        assert_problem(response, 422, "invalid-document", pointer=pointer)
    assert (await client.get("/stuff/a")).json() == {"_id": "a", "x": 1, "y": 1}


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
        "changed": date,
    }
    collection.insert_one({"_id": "a", **values})
    operations = [
        {"op": "test", "path": "/oid", "value": {"$oid": str(oid)}},
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
