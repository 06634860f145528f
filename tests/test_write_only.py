"""A key with the scope `write` alone reads nothing."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient, Response
from pymongo.collection import Collection

from service.security import make_key
from tests.support.applications import Application
from tests.support.patching import update
from tests.support.problems import assert_problem

SECRET = {"secret": "hidden", "list": ["hidden"], "born": 1815}
MERGE, JSON_PATCH = "application/merge-patch+json", "application/json-patch+json"
SHOW = {"Prefer": "return=representation"}
NOT_THERE = [{"op": "remove", "path": "/zzz"}]


@pytest.fixture
async def both(application: Application) -> AsyncIterator[tuple[AsyncClient, AsyncClient]]:
    """Clients of the same application: one that may only write, and one that may do everything."""
    keys = {scopes: make_key(scopes.split(",")) for scopes in ("write", "read,write")}
    async with application(api_keys=";".join(str(key) for _, key in keys.values())) as reader:
        async with AsyncClient(transport=reader._transport, base_url=reader.base_url) as writer:
            writer.headers["Authorization"] = f"Bearer {keys['write'][0]}"
            reader.headers["Authorization"] = f"Bearer {keys['read,write'][0]}"
            await reader.put("/stuff/a", json=SECRET)
            yield writer, reader


def assert_silent(response: Response) -> None:
    assert "hidden" not in response.text + str(response.headers)
    assert "1815" not in response.text


async def patch(client: AsyncClient, body: Any, **headers: str) -> Response:
    kind = JSON_PATCH if isinstance(body, list) else MERGE
    return await client.patch("/stuff/a", json=body, headers={"Content-Type": kind} | headers)


async def test_the_order_of_what_is_stored_is_not_told(
    both: tuple[AsyncClient, AsyncClient],
) -> None:
    """A sort puts a guess before or after what is there, and a path then tells which."""
    writer, _ = both
    guess = {"$each": [{"k": "guess"}], "$sort": {"k": 1}}
    assert_problem(await update(writer, {"$push": {"list": guess}}), 403, "forbidden")


@pytest.mark.parametrize("body", [{}, [], {"n": 1}, [{"op": "add", "path": "/n", "value": 1}]])
async def test_a_patch_answers_as_with_return_minimal(
    both: tuple[AsyncClient, AsyncClient], body: Any
) -> None:
    writer, reader = both
    for preference, applied in (
        ({}, None),
        ({"Prefer": "return=minimal"}, "return=minimal"),
        (SHOW, None),
    ):
        response = await patch(writer, body, **preference)
        assert (response.status_code, response.content) == (204, b"")
        assert response.headers.get("preference-applied") == applied
        # The entity tag is a hash of the whole document, by which guesses could be checked.
        assert "etag" not in response.headers
        assert "last-modified" in response.headers
        assert "content-location" not in response.headers
        assert_silent(response)
    shown = await patch(reader, {})
    assert shown.json()["secret"] == "hidden"
    assert "etag" in shown.headers


async def test_other_writes_answer_as_with_return_minimal(
    both: tuple[AsyncClient, AsyncClient],
) -> None:
    writer, reader = both
    put = await writer.put("/stuff/b", json={"n": 1}, headers=SHOW)
    assert (put.status_code, put.content) == (201, b"")
    assert "preference-applied" not in put.headers
    # The tag of what was sent tells nothing new.
    assert put.headers["etag"] == (await reader.get("/stuff/b")).headers["etag"]
    post = await writer.post("/stuff", json={"n": 1}, headers=SHOW)
    assert post.status_code == 201
    assert list(post.json()) == ["_id"]
    shown = await reader.put("/stuff/b", json={"n": 2}, headers=SHOW)
    assert shown.json() == {"_id": "b", "n": 2}


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/born", "value": 1815},
        {"op": "copy", "from": "/secret", "path": "/copied"},
        {"op": "move", "from": "/secret", "path": "/moved"},
    ],
)
async def test_operations_that_read_are_refused(
    both: tuple[AsyncClient, AsyncClient], operation: dict[str, Any]
) -> None:
    writer, reader = both
    for body in ([operation], [{"op": "add", "path": "/n", "value": 1}, operation]):
        refused = await patch(writer, body)
        problem = assert_problem(refused, 403, "forbidden")
        assert "'read' and 'write'" in problem["detail"]
        challenge = refused.headers["www-authenticate"]
        assert challenge == 'Bearer error="insufficient_scope", scope="read write"'
    assert (await reader.get("/stuff/a")).json() == {"_id": "a"} | SECRET
    assert (await patch(reader, [operation])).status_code == 200


async def test_deleting_by_a_filter_is_refused(both: tuple[AsyncClient, AsyncClient]) -> None:
    writer, reader = both
    for filter in ("{}", '{"born": 1815}', '{"born": 1'):
        refused = await writer.delete("/stuff", params={"filter": filter})
        problem = assert_problem(refused, 403, "forbidden")
        assert "'read' and 'write'" in problem["detail"]
    assert (await reader.get("/stuff/a")).status_code == 200
    deleted = await reader.delete("/stuff", params={"filter": '{"born": 1815}'})
    assert deleted.json() == {"deleted": 1}


async def test_conditions_that_compare_the_content_are_refused(
    both: tuple[AsyncClient, AsyncClient],
) -> None:
    writer, reader = both
    tag = (await reader.get("/stuff/a")).headers["etag"]
    for headers in (
        {"If-Match": tag},
        {"If-Match": '"0"'},
        {"If-None-Match": tag},
        {"If-None-Match": f"W/{tag}"},
        {"If-Unmodified-Since": "Mon, 23 Nov 2026 12:00:00 GMT"},
    ):
        for response in (
            await writer.put("/stuff/a", json={}, headers=headers),
            await patch(writer, {}, **headers),
            await writer.delete("/stuff/a", headers=headers),
        ):
            assert_problem(response, 403, "forbidden")
    assert (await reader.get("/stuff/a")).headers["etag"] == tag


async def test_conditions_tell_only_whether_there_is_a_document(
    both: tuple[AsyncClient, AsyncClient],
) -> None:
    writer, reader = both
    tag = (await reader.get("/stuff/a")).headers["etag"]
    create, exists = {"If-None-Match": "*"}, {"If-Match": "*"}
    refused = await writer.put("/stuff/a", json={}, headers=create)
    problem = assert_problem(refused, 412, "precondition-failed")
    assert "etag" not in problem
    assert tag.strip('"') not in refused.text
    assert_problem(await patch(writer, {}, **create), 412, "precondition-failed")
    told = await reader.put("/stuff/a", json={}, headers=create)
    assert_problem(told, 412, "precondition-failed", etag=tag)
    assert (await writer.put("/stuff/b", json={}, headers=create)).status_code == 201
    assert (await writer.put("/stuff/b", json={}, headers=exists)).status_code == 200
    assert (await writer.put("/stuff/c", json={}, headers=exists)).status_code == 412
    assert (await writer.delete("/stuff/b", headers=exists)).status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        [{"op": "add", "path": "/secret/x/y", "value": 1}],
        [{"op": "add", "path": "/nothing/x/y", "value": 1}],
        [{"op": "replace", "path": "/list/7", "value": 1}],
        [{"op": "remove", "path": "/list/hidden"}],
        [{"op": "add", "path": "/list/-/x", "value": 1}],
        [{"op": "replace", "path": "", "value": 1}],
        {"_id": "b"},
    ],
    ids=str,
)
async def test_a_patch_that_does_not_fit_does_not_tell_why(
    both: tuple[AsyncClient, AsyncClient], body: Any
) -> None:
    writer, reader = both
    problem = assert_problem(await patch(writer, body), 422, "invalid-patch", pointer="")
    assert "'read'" in problem["detail"]
    assert not {"hidden", "list", "1815"} & set(problem["detail"].split())
    told = await patch(reader, body)
    assert told.status_code == 422
    assert told.json()["detail"] != problem["detail"]


async def test_which_operation_fails_does_not_tell_which_fields_there_are(
    both: tuple[AsyncClient, AsyncClient],
) -> None:
    writer, _ = both
    seen = set()
    for path in ("/secret", "/list/0", "/nothing", "/list/5"):
        response = await patch(writer, [{"op": "remove", "path": path}, *NOT_THERE])
        seen.add((response.status_code, response.json()["detail"], response.json()["pointer"]))
    assert len(seen) == 1


async def test_faults_of_what_was_sent_are_told(both: tuple[AsyncClient, AsyncClient]) -> None:
    writer, _ = both
    refused = await patch(writer, [{"op": "add", "path": "x", "value": 1}])
    assert_problem(refused, 422, "invalid-patch", pointer="/0/path")
    refused = await writer.put("/stuff/b", json={"a": {"b": [2**64]}})
    assert_problem(refused, 422, "invalid-document", pointer="/a/b/0")


async def test_the_size_of_a_document_is_not_told(
    both: tuple[AsyncClient, AsyncClient], collection: Collection[dict[str, Any]]
) -> None:
    writer, reader = both
    collection.insert_one({"_id": "large", "text": "x" * (9 * 2**20)})
    body = {"more": "y" * (9 * 2**20)}
    kind = {"Content-Type": MERGE}
    refused = await writer.patch("/stuff/large", json=body, headers=kind)
    problem = assert_problem(refused, 413, "document-too-large", limit=16 * 2**20)
    assert not any(character.isdigit() for character in problem["detail"])
    told = await reader.patch("/stuff/large", json=body, headers=kind)
    assert "bytes" in told.json()["detail"]


async def test_a_report_of_a_load_tells_only_about_the_lines(
    both: tuple[AsyncClient, AsyncClient], collection: Collection[dict[str, Any]]
) -> None:
    writer, _ = both
    collection.create_index("secret", unique=True, sparse=True)
    lines = b'{"_id": "b", "secret": "hidden"}\n{"$a": 1}\n{"_id": "a", "n": 1}\n'
    kind = {"Content-Type": "application/x-ndjson"}
    report = (await writer.post("/stuff", content=lines, headers=kind | SHOW)).json()
    assert (report["created"], report["replaced"], report["failed"]) == (0, 1, 2)
    assert [error["type"] for error in report["errors"]] == [
        "/problems/duplicate-key",
        "/problems/invalid-document",
    ]
    assert "hidden" not in str(report)


@pytest.mark.parametrize(
    "operators",
    [
        {"$inc": {"born": 2**63 - 1}},  # which overflows unless it is negative
        {"$mul": {"born": 2**53}},
        {"$min": {"secret": "x" * 1000}},
        {"$max": {"born": 5}},
        {"$addToSet": {"list": "hidden"}},
        {"$pull": {"list": {"$regex": "^h"}}},
        {"$set": {"n": 1}, "$inc": {"born": 1}},
    ],
)
async def test_operators_whose_outcome_depends_on_what_is_stored_are_refused(
    both: tuple[AsyncClient, AsyncClient], operators: dict[str, Any]
) -> None:
    writer, reader = both
    assert_problem(await update(writer, operators), 403, "forbidden")
    assert (await reader.get("/stuff/a")).json() == {"_id": "a"} | SECRET


async def test_other_operators_tell_nothing(both: tuple[AsyncClient, AsyncClient]) -> None:
    writer, reader = both
    operators = {"$set": {"n": 1}, "$push": {"list": 1}, "$unset": {"born": ""}}
    changed = await update(writer, operators, prefer="return=representation")
    assert (changed.status_code, changed.content) == (204, b"")
    assert "etag" not in changed.headers
    unfit = await update(writer, {"$push": {"secret": 1}})
    assert_problem(unfit, 422, "invalid-patch")
    assert_silent(unfit)
    found = (await reader.get("/stuff/a")).json()
    assert found == {"_id": "a", "secret": "hidden", "list": ["hidden", 1], "n": 1}
    created = await update(writer, {"$set": {"n": 1}}, "/stuff/b?upsert=true")
    assert (created.status_code, created.content) == (201, b"")
    assert created.headers["location"] == "/stuff/b"
    assert "etag" not in created.headers


async def test_nothing_else_is_open_to_it(both: tuple[AsyncClient, AsyncClient]) -> None:
    writer, _ = both
    events = {"Accept": "text/event-stream"}
    for path in ("/stuff", "/stuff/a", "/stuff/a?fields=secret", "/metrics"):
        for headers in ({}, events):
            assert_problem(await writer.get(path, headers=headers), 403, "forbidden")
    for path in ("/stuff", "/stuff/a"):
        assert (await writer.head(path)).status_code == 403
        assert (await writer.options(path)).status_code == 204  # it tells nothing of what is stored
