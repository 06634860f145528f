"""Commits: all writes are made, or none, and each is what it would be alone."""

from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128
from httpx import AsyncClient

from tests.support.applications import Application
from tests.support.committing import Write, commit, committed, documents, merge, put, tag_of, write
from tests.support.declaring import declare
from tests.support.following import Documents
from tests.support.problems import assert_problem

ADD = [{"op": "add", "path": "/l/-", "value": 2}]
FIRST = put("first", {"n": 1})


async def test_each_kind_of_write_does_what_it_does_alone(client: AsyncClient) -> None:
    for id in ("put", "merge", "patched", "updated", "deleted", "checked"):
        await client.put(f"/stuff/{id}", json={"n": 1, "l": [1]})
    results = await committed(
        client,
        put("put", {"n": 2}),
        put("new", {"n": 3}),
        write("create", "made", {"n": 4}),
        {"op": "create", "document": {"n": 5}},
        merge("merge", {"n": 6, "l": None}),
        write("json_patch", "patched", ADD),
        write("update", "updated", {"$inc": {"n": 6}, "$push": {"l": 2}}),
        write("delete", "deleted"),
        write("check", "checked"),
    )
    assert [each["status"] for each in results] == [200, 201, 201, 201, 200, 200, 200, 204, 200]
    made = results[3]["id"]
    assert await documents(client) == {
        "put": {"n": 2},
        "new": {"n": 3},
        "made": {"n": 4},
        made: {"n": 5},
        "merge": {"n": 6},
        "patched": {"n": 1, "l": [1, 2]},
        "updated": {"n": 7, "l": [1, 2]},
        "checked": {"n": 1, "l": [1]},
    }
    ids = ["put", "new", "made", made, "merge", "patched", "updated", "deleted", "checked"]
    assert [each["id"] for each in results] == ids
    for each in results:
        if each["id"] != "deleted":
            assert each["etag"] == await tag_of(client, each["id"])
    assert results[7] == {"status": 204, "id": "deleted"}


async def test_a_commit_spans_collections(application: Application, tmp_path: Path) -> None:
    file = declare(tmp_path, books={}, authors={"id": "integer"})
    async with application(collections=file) as client:
        results = await committed(
            client,
            put("a", {"n": 1}, collection="books"),
            put("7", {"n": 2}, collection="authors"),
            put("a", {"n": 3}),
        )
        assert [each["id"] for each in results] == ["a", "7", "a"]
        assert (await client.get("/authors/7")).json() == {"_id": "7", "n": 2}
        refused = await commit(
            client,
            merge("a", {"n": 9}, collection="books"),
            merge("a", {"n": 9}),
            write("delete", "8", collection="authors"),
        )
        assert_problem(refused, 404, "document-not-found", index=2)
        for path, n in (("books", 1), ("stuff", 3)):
            assert await documents(client, f"/{path}") == {"a": {"n": n}}


REFUSED: list[tuple[Write, int, str, str]] = [
    (write("create", "old", {}), 412, "precondition-failed", "/id"),
    (put("old", {}, if_match='"x"'), 412, "precondition-failed", "/if_match"),
    (put("absent", {}, if_match="*"), 412, "precondition-failed", "/if_match"),
    (put("old", {}, if_none_match="*"), 412, "precondition-failed", "/if_none_match"),
    (merge("old", {}, if_match='"x"'), 412, "precondition-failed", "/if_match"),
    (write("delete", "old", if_match='"x", "y"'), 412, "precondition-failed", "/if_match"),
    (write("check", "old", if_match='"x"'), 412, "precondition-failed", "/if_match"),
    (merge("absent", {}), 404, "document-not-found", "/id"),
    (write("json_patch", "absent", ADD), 404, "document-not-found", "/id"),
    (write("delete", "absent"), 404, "document-not-found", "/id"),
    (write("check", "absent", if_match='"x"'), 422, "invalid-commit", "/id"),
    (
        write("json_patch", "old", [{"op": "test", "path": "/n", "value": 2}]),
        409,
        "patch-test-failed",
        "/operations/0",
    ),
    (write("json_patch", "old", [*ADD, *ADD]), 422, "invalid-patch", "/operations/0"),
    (
        write("json_patch", "old", [{"op": "replace", "path": "/_id", "value": "new"}]),
        422,
        "invalid-document",
        "/operations",
    ),
    (merge("old", {"_stuff": 1}), 422, "invalid-document", "/patch"),
    (write("update", "absent", {"$inc": {"n": 1}}), 404, "document-not-found", "/id"),
    (
        write("update", "old", {"$inc": {"n": 1}}, if_match='"x"'),
        412,
        "precondition-failed",
        "/if_match",
    ),
    (write("update", "old", {"$push": {"n": 1}}), 422, "invalid-patch", "/operators"),
    (write("update", "old", {"$inc": {"n": 2**63 - 1}}), 422, "invalid-patch", "/operators"),
    (write("update", "old", {"$set": {"unique": 1}}), 409, "duplicate-key", "/operators"),
    (put("taken", {"unique": 1}), 409, "duplicate-key", "/document"),
    (merge("old", {"unique": 1}), 409, "duplicate-key", "/patch"),
]


@pytest.mark.parametrize(("refused", "status", "slug", "pointer"), REFUSED)
async def test_one_write_that_cannot_be_made_leaves_nothing_of_the_commit(
    client: AsyncClient,
    collection: Documents,
    refused: Write,
    status: int,
    slug: str,
    pointer: str,
) -> None:
    collection.create_index("unique", unique=True, sparse=True)
    before = {"old": {"n": 1}, "other": {"n": 2, "unique": 1}}
    for id, fields in before.items():
        await client.put(f"/stuff/{id}", json=fields)
    answered = await commit(client, FIRST, refused, merge("other", {"n": 3}))
    assert_problem(answered, status, slug, index=1, pointer=f"/writes/1{pointer}")
    assert await documents(client) == before


async def test_the_problem_of_a_failed_condition_has_the_tag_of_the_document(
    client: AsyncClient,
) -> None:
    [old] = await committed(client, FIRST)
    [new] = await committed(client, put("first", {"n": 2}, if_match=old["etag"]))
    for late in (put("first", {}, if_match=old["etag"]), write("create", "first", {})):
        assert_problem(await commit(client, late), 412, "precondition-failed", etag=new["etag"])
    absent = write("delete", "first", if_none_match=f'{old["etag"]}, "x"')
    await committed(client, absent)
    gone = await commit(client, put("first", {}, if_match=new["etag"]))
    assert_problem(gone, 412, "precondition-failed", etag=None)


async def test_conditions_compare_the_content(client: AsyncClient, collection: Documents) -> None:
    [made] = await committed(client, FIRST)
    collection.update_one({"_id": "first"}, {"$set": {"n": 2}})  # by another program
    late = await commit(client, merge("first", {"m": 1}, if_match=made["etag"]))
    assert_problem(late, 412, "precondition-failed", etag=await tag_of(client, "first"))


async def test_the_first_write_at_fault_is_named(client: AsyncClient) -> None:
    answered = await commit(client, FIRST, write("delete", "x"), merge("y", {}), merge("z", {}))
    assert_problem(answered, 404, "document-not-found", index=1)


async def test_a_check_changes_nothing_but_the_time_of_the_last_write(
    client: AsyncClient, collection: Documents
) -> None:
    collection.insert_one({"_id": "foreign", "n": 1})
    await client.put("/stuff/own", json={"n": 2})
    for id in ("foreign", "own"):
        seen = await client.get(f"/stuff/{id}")
        for _ in range(5):
            [checked] = await committed(client, write("check", id, if_match=seen.headers["etag"]))
            shown = (await client.get(f"/stuff/{id}", params={"meta": "true"})).json()
            metadata = shown.pop("_stuff")
            assert shown == seen.json()
            assert checked == {"status": 200, "id": id, "etag": seen.headers["etag"]}
            assert metadata["etag"] == seen.headers["etag"].strip('"')
            stored = collection.find_one({"_id": id})
            assert stored is not None
            assert stored["_stuff"]["etag"] == metadata["etag"]


async def test_schemas_and_layouts_are_those_of_the_collections(
    application: Application, tmp_path: Path, collection: Documents
) -> None:
    schema = {"properties": {"n": {"type": "integer"}}, "required": ["n"]}
    file = declare(
        tmp_path,
        books={"schema": schema},
        plain={"metadata": False},
        fixed={"read_only": True},
    )
    async with application(collections=file) as client:
        await committed(
            client, put("a", {"n": 1}, collection="books"), put("a", {}, collection="plain")
        )
        inc = write("update", "a", {"$inc": {"n": 1}})
        both = [inc | {"collection": name} for name in ("books", "plain")]
        for name, each in zip(("books", "plain"), await committed(client, *both), strict=True):
            assert each["etag"] == await tag_of(client, "a", f"/{name}")
        assert collection.database["plain"].find_one({"_id": "a"}) == {"_id": "a", "n": 1}
        wrong: list[tuple[Write, str]] = [
            (put("b", {"n": "x"}, collection="books"), "document"),
            (merge("a", {"n": None}, collection="books"), "patch"),
            (write("update", "a", {"$unset": {"n": 1}}, collection="books"), "operators"),
        ]
        for each, member in wrong:
            refused = await commit(client, FIRST, each)
            problem = assert_problem(
                refused, 422, "schema-violation", index=1, pointer=f"/writes/1/{member}"
            )
            assert len(problem["errors"]) == 1
        checked = await commit(client, FIRST, write("check", "a", collection="plain"))
        assert_problem(checked, 422, "invalid-commit", index=1, pointer="/writes/1/op")
        fixed = await commit(client, FIRST, put("a", {}, collection="fixed"))
        assert_problem(fixed, 422, "invalid-commit", index=1, pointer="/writes/1/collection")
        assert await documents(client) == {}


async def test_types_that_json_lacks_stay_in_patched_documents(
    client: AsyncClient, collection: Documents
) -> None:
    stored: dict[str, Any] = {"_id": "a", "price": Decimal128("1.10"), "n": 1}
    collection.insert_one(stored)
    await committed(client, merge("a", {"n": 2}))
    found = collection.find_one({"_id": "a"}, {"_stuff": 0})
    assert found == stored | {"n": 2}
