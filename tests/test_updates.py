"""PATCH with update operators: what they do to a document, and when they do nothing."""

import asyncio
from datetime import datetime
from typing import Any

import bson
import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from tests.support.applications import Application
from tests.support.following import follow
from tests.support.patching import MERGE, OPERATORS, update
from tests.support.problems import assert_problem

MIB = 1024 * 1024

CHANGES: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ({"a": 1}, {"$set": {"b": {"x": [1]}, "c.d": 2}}, {"a": 1, "b": {"x": [1]}, "c": {"d": 2}}),
    ({"a": 1, "b": 2}, {"$unset": {"a": "", "none": ""}}, {"b": 2}),
    ({"n": 1}, {"$inc": {"n": 2, "m.k": -1}}, {"n": 3, "m": {"k": -1}}),
    ({"n": 2**31 - 1}, {"$inc": {"n": 1}}, {"n": 2**31}),
    ({"n": 1}, {"$inc": {"n": 0.5}}, {"n": 1.5}),
    ({"n": 6}, {"$mul": {"n": 7, "m": 2}}, {"n": 42, "m": 0}),
    ({"n": 5, "m": 5}, {"$min": {"n": 3}, "$max": {"m": 3, "k": 1}}, {"n": 3, "m": 5, "k": 1}),
    ({"l": [1]}, {"$push": {"l": 2, "m": [3]}}, {"l": [1, 2], "m": [[3]]}),
    ({"l": [1]}, {"$push": {"l": {"x": 1}}}, {"l": [1, {"x": 1}]}),
    ({"l": [1, 4]}, {"$push": {"l": {"$each": [2, 3], "$position": 1}}}, {"l": [1, 2, 3, 4]}),
    ({"l": [1, 4]}, {"$push": {"l": {"$each": [3], "$sort": -1, "$slice": 2}}}, {"l": [4, 3]}),
    (
        {"l": [{"n": 2}]},
        {"$push": {"l": {"$each": [{"n": 1}], "$sort": {"n": 1}}}},
        {"l": [{"n": 1}, {"n": 2}]},
    ),
    ({"l": [1]}, {"$addToSet": {"l": {"$each": [1, 2, 2]}, "m": 1}}, {"l": [1, 2], "m": [1]}),
    ({"l": [1, 2, 3, 2]}, {"$pull": {"l": 2}}, {"l": [1, 3]}),
    ({"l": [1, 2, 3]}, {"$pull": {"l": {"$gte": 2}}}, {"l": [1]}),
    ({"l": ["ab", "b"]}, {"$pull": {"l": {"$regex": "^a"}}}, {"l": ["b"]}),
    ({"l": [{"x": 1, "y": 1}, {"x": 2}]}, {"$pull": {"l": {"x": 1}}}, {"l": [{"x": 2}]}),
    ({"l": [1, 2, 3], "m": [1, 2]}, {"$pop": {"l": 1, "m": -1}}, {"l": [1, 2], "m": [2]}),
    ({"l": [1, 2]}, {"$set": {"l.1": 5, "l.3": 7}}, {"l": [1, 5, None, 7]}),
]  # fmt: skip


@pytest.mark.parametrize(("before", "operators", "after"), CHANGES)
async def test_operators_change_a_document_as_in_mongodb(
    client: AsyncClient, before: Any, operators: Any, after: Any
) -> None:
    await client.put("/stuff/a", json=before)
    response = await update(client, operators)
    assert response.status_code == 200, response.text
    assert response.json() == {"_id": "a"} | after
    assert response.headers["content-location"] == "/stuff/a"
    read = await client.get("/stuff/a")
    assert read.content == response.content
    assert read.headers["etag"] == response.headers["etag"]


async def test_the_entity_tag_is_that_of_the_content_and_the_date_is_not_known(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    await client.put("/stuff/b", json={"n": 2})
    await client.put("/stuff/a", json={"n": 1})
    response = await update(client, {"$inc": {"n": 1}})
    assert response.headers["etag"] == (await client.get("/stuff/b")).headers["etag"]
    assert "last-modified" not in response.headers
    stored = collection.find_one({"_id": "a"})
    assert stored is not None
    assert list(stored) == ["_id", "n", "_stuff"]
    assert stored["_stuff"].keys() == {"updated_at"}
    put = await client.put("/stuff/a", json={}, headers={"if-match": response.headers["etag"]})
    assert put.status_code == 200
    assert "last-modified" in (await client.get("/stuff/a")).headers


async def test_what_operators_leave_alone_keeps_its_bson_type(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    date, oid = datetime(2026, 1, 1), bson.ObjectId()  # noqa: DTZ001 (as the driver returns it)
    collection.insert_one({"_id": "a", "d": date, "o": [oid], "_stuff": 5})
    assert (await update(client, {"$inc": {"n": 1}, "$push": {"o": 1}})).status_code == 200
    stored = collection.find_one({"_id": "a"})
    assert stored is not None
    assert (stored["d"], stored["o"]) == (date, [oid, 1])


async def test_a_missing_document_is_404_and_upsert_creates_it_once(client: AsyncClient) -> None:
    operators = {"$inc": {"n": 1}, "$set": {"a.b": True}}
    assert_problem(await update(client, operators), 404, "document-not-found")
    created = await update(client, operators, "/stuff/a?upsert=true")
    assert (created.status_code, created.headers["location"]) == (201, "/stuff/a")
    assert created.json() == {"_id": "a", "n": 1, "a": {"b": True}}
    again = await update(client, operators, "/stuff/a?upsert=true")
    assert (again.status_code, again.json()["n"]) == (200, 2)
    assert "location" not in again.headers
    other = await update(client, operators, "/stuff/b?upsert=false")
    assert_problem(other, 404, "document-not-found")


async def test_many_clients_that_create_one_counter_create_it_once(client: AsyncClient) -> None:
    answers = await asyncio.gather(
        *(update(client, {"$inc": {"n": 1}}, "/stuff/a?upsert=true") for _ in range(50))
    )
    assert sorted(answer.status_code for answer in answers) == [200] * 49 + [201]
    assert sorted(answer.json()["n"] for answer in answers) == list(range(1, 51))


@pytest.mark.parametrize("condition", ["if-match", "if-none-match", "if-unmodified-since"])
async def test_upsert_takes_no_condition(client: AsyncClient, condition: str) -> None:
    value = {condition: "*" if "match" in condition else "Mon, 01 Jan 2026 00:00:00 GMT"}
    response = await update(client, {"$inc": {"n": 1}}, "/stuff/a?upsert=true", **value)
    assert_problem(response, 422, "invalid-parameter", parameter="upsert")
    assert (await client.get("/stuff/a")).status_code == 404


async def test_upsert_belongs_to_operators(client: AsyncClient) -> None:
    response = await client.patch(
        "/stuff/a?upsert=true", content="{}", headers={"content-type": MERGE}
    )
    assert_problem(response, 422, "invalid-parameter", parameter="upsert")


async def test_with_a_condition_the_content_is_compared(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    tag = (await client.put("/stuff/a", json={"n": 1})).headers["etag"]
    collection.update_one({"_id": "a"}, {"$set": {"n": 5}})  # `_stuff` stays as it was
    operators = {"$inc": {"n": 1}}
    stale = await update(client, operators, if_match=tag)
    assert_problem(stale, 412, "precondition-failed")
    current = stale.json()["etag"]
    assert (await update(client, operators, if_none_match=current)).status_code == 412
    assert (await update(client, operators, if_match=current)).json()["n"] == 6
    assert (await update(client, operators, if_match="*")).json()["n"] == 7
    assert (await update(client, operators, if_none_match="*")).status_code == 412
    missing = await update(client, operators, "/stuff/none", if_match="*")
    assert_problem(missing, 404, "document-not-found")


async def test_documents_of_16_megabytes_are_compared_too(client: AsyncClient) -> None:
    put = await client.put("/stuff/a", json={"x": "x" * (16 * MIB - 200)})
    headers = {"if_match": put.headers["etag"], "prefer": "return=minimal"}
    response = await update(client, {"$inc": {"n": 1}}, **headers)
    assert (response.status_code, response.content) == (204, b"")
    stale = await update(client, {"$inc": {"n": 1}}, **headers)
    assert_problem(stale, 412, "precondition-failed")


async def test_return_minimal_leaves_the_document_out(client: AsyncClient) -> None:
    operators, prefer = {"$inc": {"n": 1}}, {"prefer": "return=minimal"}
    created = await update(client, operators, "/stuff/a?upsert=true", **prefer)
    assert (created.status_code, created.content) == (201, b"")
    assert created.headers["location"] == "/stuff/a"
    changed = await update(client, operators, **prefer)
    assert (changed.status_code, changed.content) == (204, b"")
    assert changed.headers["etag"] == (await client.get("/stuff/a")).headers["etag"]


UNFIT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"a": "text"}, {"$inc": {"a": 1}}),
    ({"a": None}, {"$mul": {"a": 2}}),
    ({"a": 1}, {"$push": {"a": 1}}),
    ({"a": {}}, {"$addToSet": {"a": 1}}),
    ({"a": True}, {"$pull": {"a": 1}}),
    ({"a": "text"}, {"$pop": {"a": 1}}),
    ({"a": ["text"] * 1000}, {"$set": {"a.b": 1}}),
    ({"a": 2**63 - 1}, {"$inc": {"a": 1}}),
    ({"a": -(2**63)}, {"$inc": {"a": -1}}),
    ({"a": 2**62}, {"$mul": {"a": 2}}),
]


@pytest.mark.parametrize(("document", "operators"), UNFIT)
async def test_operators_that_do_not_fit_the_document_change_nothing(
    client: AsyncClient, document: Any, operators: Any
) -> None:
    put = await client.put("/stuff/a", json=document | {"b": 1})
    response = await update(client, operators | {"$unset": {"b": ""}})
    problem = assert_problem(response, 422, "invalid-patch")
    assert "text" not in problem["detail"]
    assert (await client.get("/stuff/a")).headers["etag"] == put.headers["etag"]


async def test_a_document_does_not_become_larger_than_mongodb_stores(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"x": "x" * 9 * MIB})
    prefer = {"prefer": "return=minimal"}
    more = {"$set": {"y": "y" * 8 * MIB}}
    for headers in ({}, {"if_match": "*"}):
        response = await update(client, more, **headers)
        assert_problem(response, 413, "document-too-large", limit=16 * MIB)
    assert (await update(client, {"$unset": {"x": ""}}, **prefer)).status_code == 204
    assert (await update(client, more, **prefer)).status_code == 204


async def test_a_patch_fills_an_array_only_so_far(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"l": []})
    filled = await update(client, {"$set": {"l.9999": 1}})
    assert filled.json()["l"] == [None] * 9999 + [1]
    response = await update(client, {"$set": {"l.10000": 1}})
    assert_problem(response, 422, "invalid-patch", pointer="/$set/l.10000")


async def test_what_takes_the_embedded_engine_too_many_steps_is_refused(
    client: AsyncClient,
) -> None:
    await client.put("/stuff/a", json={"l": ["a" * 1000]})
    response = await update(client, {"$pull": {"l": {"$regex": ".*a.*b"}}})
    assert_problem(response, 422, "invalid-patch", pointer="/$pull/l/$regex")


async def test_64_clients_that_count_lose_nothing(application: Application) -> None:
    """Through two processes, one of which counts with a condition."""
    async with application() as one, application() as other:
        await one.put("/stuff/a", json={"n": 0})

        async def count(client: AsyncClient) -> None:
            for _ in range(5):
                assert (await update(client, {"$inc": {"n": 1}})).status_code == 200

        async def count_if() -> None:
            for _ in range(5):
                status = 412
                while status == 412:
                    tag = (await other.get("/stuff/a")).headers["etag"]
                    status = (await update(other, {"$inc": {"n": 1}}, if_match=tag)).status_code
                assert status == 200

        await asyncio.gather(*(count(one) for _ in range(64)), *(count_if() for _ in range(2)))
        assert (await one.get("/stuff/a")).json()["n"] == 5 * 66


async def test_operators_take_their_turn_among_the_writes_of_an_id(client: AsyncClient) -> None:
    tasks = []
    for number in range(20):
        put = client.put("/stuff/a", json={"n": 10 * number})
        tasks += [put, update(client, {"$inc": {"n": 1}})]
    answers = await asyncio.gather(*tasks)
    assert [each.json()["n"] for each in answers[1::2]] == [10 * n + 1 for n in range(20)]


async def test_options_names_the_format(client: AsyncClient) -> None:
    response = await client.options("/stuff/a")
    assert response.headers["accept-patch"].split(", ")[-1] == OPERATORS


async def test_the_feed_tells_of_it(live_client: AsyncClient) -> None:
    await live_client.put("/stuff/a", json={"n": 1})
    async with follow(live_client, "/stuff/a") as events:
        await update(live_client, {"$inc": {"n": 1}})
        assert (await events.next()).n == 2
