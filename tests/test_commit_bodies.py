"""What cannot be a commit is refused with a pointer to the place."""

import gzip
import json
from typing import Any

import pytest
from httpx import AsyncClient

from tests.support.committing import documents, merge, put, write
from tests.support.problems import assert_problem

OK = put("ok", {})


def nested(levels: int) -> Any:
    value: Any = {}
    for _ in range(levels - 1):
        value = {"a": value}
    return value


INVALID: list[tuple[Any, str]] = [
    ([], ""),
    ({}, ""),
    ({"writes": {}}, ""),
    ({"writes": [], "more": 1}, "/more"),
    ({"writes": []}, "/writes"),
    ({"writes": [put(f"{n}", {}) for n in range(501)]}, "/writes"),
    ({"writes": [OK, 5]}, "/writes/1"),
    ({"writes": [OK, {}]}, "/writes/1/op"),
    ({"writes": [OK, {"op": "replace", "id": "a"}]}, "/writes/1/op"),
    ({"writes": [OK, {"op": ["put"], "id": "a"}]}, "/writes/1/op"),
    ({"writes": [OK, {"op": "put", "document": {}}]}, "/writes/1"),
    ({"writes": [OK, {"op": "put", "id": "a"}]}, "/writes/1"),
    ({"writes": [OK, {"op": "put", "id": "a", "document": None}]}, "/writes/1/document"),
    ({"writes": [OK, put("a", {}, if_match=None)]}, "/writes/1/if_match"),
    ({"writes": [OK, put("a", {}, patch=None)]}, "/writes/1/patch"),
    ({"writes": [OK, {"op": "put", "id": 5, "document": {}}]}, "/writes/1/id"),
    ({"writes": [OK, put("a", [])]}, "/writes/1/document"),
    ({"writes": [OK, put("a", {}, patch={})]}, "/writes/1/patch"),
    ({"writes": [OK, put("a", {}, collection="none")]}, "/writes/1/collection"),
    ({"writes": [OK, put("a", {}, collection=1)]}, "/writes/1/collection"),
    ({"writes": [OK, put("a", {}, if_match="abc")]}, "/writes/1/if_match"),
    ({"writes": [OK, put("a", {}, if_none_match='"a')]}, "/writes/1/if_none_match"),
    ({"writes": [OK, put("a", {}, if_match=",".join(['"a"'] * 5000))]}, "/writes/1/if_match"),
    ({"writes": [OK, put("a", {}, unknown=1)]}, "/writes/1/unknown"),
    ({"writes": [OK, write("create", "a", {}, if_match="*")]}, "/writes/1/if_match"),
    ({"writes": [OK, merge("a", "x")]}, "/writes/1/patch"),
    ({"writes": [OK, write("json_patch", "a", {})]}, "/writes/1/operations"),
    ({"writes": [OK, write("delete", "a", document={})]}, "/writes/1/document"),
    ({"writes": [OK, write("check", "a", if_none_match="*")]}, "/writes/1/if_none_match"),
    ({"writes": [put("a", {}), put("b", {}), write("delete", "a")]}, "/writes/2/id"),
]


@pytest.mark.parametrize(("body", "pointer"), INVALID)
async def test_what_is_no_commit_is_refused_with_a_pointer(
    client: AsyncClient, body: Any, pointer: str
) -> None:
    refused = await client.post("/commit", json=body)
    problem = assert_problem(refused, 422, "invalid-commit", pointer=pointer)
    steps = pointer.split("/")
    expected = int(steps[2]) if len(steps) > 2 else None
    assert problem.get("index") == expected
    assert await documents(client) == {}


CONTENTS: list[tuple[dict[str, Any], str, str]] = [
    (put("a", {"$a": 1}), "invalid-document", "/document/$a"),
    (put("a", {"_id": "b"}), "invalid-document", "/document/_id"),
    ({"op": "create", "document": {"_id": "b"}}, "invalid-document", "/document/_id"),
    (put("a", {"_stuff": 1}), "invalid-document", "/document/_stuff"),
    (put("", {}), "invalid-id", "/id"),
    (put("\n", {}), "invalid-id", "/id"),
    (put("x" * 513, {}), "invalid-id", "/id"),
    (write("json_patch", "a", [{"op": "add"}]), "invalid-patch", "/operations/0"),
    (write("update", "a", {"$rename": {"a": "b"}}), "invalid-patch", "/operators/$rename"),
    (write("update", "a", {"$inc": {"_id": 1}}), "invalid-patch", "/operators/$inc/_id"),
    (
        write("json_patch", "a", [{"op": "remove", "path": "x"}]),
        "invalid-patch",
        "/operations/0/path",
    ),
]


@pytest.mark.parametrize(("sent", "slug", "pointer"), CONTENTS)
async def test_what_cannot_be_stored_is_refused_as_alone(
    client: AsyncClient, sent: dict[str, Any], slug: str, pointer: str
) -> None:
    refused = await client.post("/commit", json={"writes": [OK, sent]})
    assert_problem(refused, 422, slug, index=1, pointer=f"/writes/1{pointer}")
    assert await documents(client) == {}


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ('{"a": [1, 9223372036854775808]}', "/writes/0/document/a/1"),
        ('{"a": {"b": 1, "b": 2}}', "/writes/0/document/a/b"),
        ('{"a": {"\\u0000": 1}}', "/writes/0/document/a/\0"),
    ],
)
async def test_nothing_is_lost_in_a_commit_either(
    client: AsyncClient, text: str, pointer: str
) -> None:
    content = f'{{"writes": [{{"op": "put", "id": "a", "document": {text}}}]}}'
    refused = await client.post("/commit", content=content)
    assert_problem(refused, 422, "invalid-document", pointer=pointer)


async def test_documents_may_be_nested_as_deep_as_alone(client: AsyncClient) -> None:
    made = await client.post("/commit", json={"writes": [put("a", nested(100))]})
    assert made.status_code == 200
    assert (await client.put("/stuff/b", json=nested(100))).status_code == 201
    for levels in (101, 104):
        refused = await client.post("/commit", json={"writes": [put("a", nested(levels))]})
        problem = assert_problem(refused, 422, "invalid-document")
        assert problem["pointer"].startswith("/writes/0/document/a/a")
        alone = await client.put("/stuff/b", json=nested(levels))
        assert alone.json()["pointer"] == problem["pointer"].removeprefix("/writes/0/document")


async def test_a_commit_is_json_and_may_be_compressed(client: AsyncClient) -> None:
    body = json.dumps({"writes": [OK]}).encode()
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    packed = await client.post("/commit", content=gzip.compress(body), headers=headers)
    assert packed.status_code == 200
    yaml = await client.post("/commit", content=body, headers={"Content-Type": "text/yaml"})
    assert_problem(yaml, 415, "unsupported-media-type")
    assert yaml.headers["accept"] == "application/json"
    assert_problem(await client.post("/commit", content=b"{"), 400, "malformed-json")
    assert_problem(await client.get("/commit"), 405, "method-not-allowed")
