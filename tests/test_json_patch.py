"""JSON Patch (RFC 6902)."""

from typing import Any

import pytest
from httpx import AsyncClient

from tests.support.patching import patch
from tests.support.problems import assert_problem

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
