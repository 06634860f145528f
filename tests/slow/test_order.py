"""The order of pages: that of the database, for values of all types."""

import asyncio
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import anyio
import bson
import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from httpx import AsyncClient
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pymongo.collection import Collection

from service.documents.query import Selection, Sort, parse_fields, parse_sort
from service.documents.query.values import comparable
from service.store.queries import _after
from tests.support.paging import fill, read_pages
from tests.support.problems import assert_problem

Documents = Collection[dict[str, Any]]


VALUES: list[Any] = [
    None, 0, 1, -1, 2.5, Int64(2**62), Decimal128("2.7"), math.nan, math.inf, -math.inf, "", "a",
    "b", "ä", "\U0001f600", "\uffff", {}, {"x": 1}, {"x": "1"}, {"y": 1}, [], [1, 5], [0, 9],
    [None], [[1]], [[2], 3], ["z", 0], [{"b": 1}, {"b": 3}], [{"b": 2}, {"b": 1}],
    [{"b": [0, 7]}, {"b": 2}], {"b": 1}, {"b": None}, {"b": "t"}, {"b": [1, 2]}, {"b": []},
    b"bin", b"nib", Binary(b"nab", 0),
    ObjectId("0" * 24), ObjectId("f" * 24), True, False, datetime(1970, 1, 1, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC), Timestamp(1, 1), Timestamp(1, 2), Regex("a"), Regex("b", "i"),
    MinKey(), MaxKey(),
]  # fmt: skip
SORTS = ["a", "-a", "a,b", "-a,b", "b,-a", "a.b", "-a.b", "a.b,b", "-b,-a.b", "a.b,-a.c"]


def documents_of(values: Iterator[Any] | list[Any], seed: int) -> list[dict[str, Any]]:
    chance = random.Random(seed)
    documents = []
    for number, value in enumerate(values):
        document: dict[str, Any] = {"_id": f"{number:03}"}
        if chance.random() < 0.9:
            document["a"] = value
        if chance.random() < 0.9:
            document["b"] = chance.choice([1, 2, "x", None])
        documents.append(document)
    return documents


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [1, 7])
async def test_values_of_all_types_page_in_the_order_of_the_database(
    client: AsyncClient, collection: Documents, sort: str, limit: int
) -> None:
    again = VALUES[::4] if limit == 1 else VALUES
    collection.insert_many(documents_of([*VALUES, *again], seed=1))
    order = list(parse_sort(sort).fields)
    expected = [document["_id"] for document in collection.find().sort(order)]
    assert [item["_id"] for item in await read_pages(client, limit, sort=sort)] == expected


@pytest.mark.parametrize("direction", [1, -1])
async def test_ids_of_all_types_page_in_the_order_of_the_database(
    client: AsyncClient, collection: Documents, direction: int
) -> None:
    ids = [v for v in VALUES if not isinstance(v, list | Regex) and v != math.inf and v != {}]
    collection.insert_many([{"_id": id, "n": n} for n, id in enumerate(ids)])
    expected = [document["n"] for document in collection.find().sort("_id", direction)]
    for limit in (1, 4):
        items = await read_pages(client, limit, sort="_id" if direction == 1 else "-_id")
        assert [item["n"] for item in items] == expected


@hypothesis_settings(max_examples=40)
@given(
    sort=st.sampled_from(SORTS),
    values=st.lists(st.sampled_from(VALUES), max_size=12),
    limit=st.integers(1, 4),
    seed=st.integers(0, 1000),
)
@example(sort="a.b", values=[None, {"b": [1, 2]}, [{"b": 1}, {"b": 3}]], limit=1, seed=0)
async def test_any_documents_page_in_the_order_of_the_database(
    client: AsyncClient,
    collection: Documents,
    sort: str,
    values: list[Any],
    limit: int,
    seed: int,
) -> None:
    collection.delete_many({})
    documents = documents_of(values, seed)
    if documents:
        collection.insert_many(documents)
    expected = [document["_id"] for document in collection.find().sort(parse_sort(sort).fields)]
    assert [item["_id"] for item in await read_pages(client, limit, sort=sort)] == expected


def test_values_compare_as_in_the_database(collection: Documents) -> None:
    collection.insert_many([{"_id": n, "v": {"of": value}} for n, value in enumerate(VALUES)])
    stored = [document["v"] for document in collection.find().sort([("v", 1), ("_id", 1)])]
    keys = [comparable(value) for value in stored]
    assert keys == sorted(keys)


async def test_ties_are_broken_by_id_in_the_direction_of_the_last_field(
    client: AsyncClient,
) -> None:
    await fill(client, *({"_id": f"{n:02}", "same": True} for n in range(10)))
    up = [item["_id"] for item in await read_pages(client, 3, sort="same")]
    down = [item["_id"] for item in await read_pages(client, 3, sort="-same")]
    assert up == sorted(up) == down[::-1]
    assert parse_sort("a,-b") == Sort((("a", 1), ("b", -1), ("_id", -1)))


async def test_documents_are_sorted_by_when_they_were_written(client: AsyncClient) -> None:
    for name in ("b", "c", "a"):
        await client.put(f"/stuff/{name}", json={})
        await anyio.sleep(0.002)
    items = await read_pages(client, 1, sort="-_stuff.updated_at")
    assert [item["_id"] for item in items] == ["a", "c", "b"]


@pytest.mark.parametrize(
    "sort",
    ["", "a,,b", "a,a", "a,-a", "$a", "a.$b", "a..b", "-", ",".join("abcdefghi"), "_id.x", "a.0",
     "b,-a.0.c", "a.12", "a.²"],
)  # fmt: skip
async def test_a_malformed_order_is_refused(client: AsyncClient, sort: str) -> None:
    response = await client.get("/stuff", params={"sort": sort})
    assert_problem(response, 422, "invalid-parameter", parameter="sort")


@pytest.mark.parametrize("sort", ["a,b", "-a,c,-b", "d.a,d.b"])
async def test_an_order_by_several_arrays_of_a_document_is_refused(
    client: AsyncClient, sort: str
) -> None:
    """As MongoDB does: six arrays of nine elements have half a million combinations."""
    arrays = {name: list(range(9)) for name in "abcef"}
    await fill(client, *({"_id": f"{n}", **arrays, "d": [arrays]} for n in range(2)))
    response = await client.get("/stuff", params={"limit": 1, "sort": sort})
    assert_problem(response, 422, "invalid-parameter", parameter="sort")
    assert "arrays" in response.json()["detail"]


async def test_an_order_by_a_very_long_array_is_refused(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "a": list(range(5001 - n))} for n in range(3)))
    assert len(await read_pages(client, 1, sort="a", filter='{"_id": {"$gt": "0"}}')) == 2
    response = await client.get("/stuff", params={"limit": 1, "sort": "a"})
    assert_problem(response, 422, "invalid-parameter", parameter="sort")


async def test_an_order_by_many_fields_of_a_long_array_is_refused(client: AsyncClient) -> None:
    """Each document took 0.6 s, during which no other request ran."""
    await fill(client, *({"_id": f"{n}", "a": [{}] * 1112} for n in range(2)))
    sort = ",".join(f"a.{name}" for name in "bcdefghi")
    response = await client.get("/stuff", params={"limit": 1, "sort": sort})
    assert_problem(response, 422, "invalid-parameter", parameter="sort")
    response = await client.get("/stuff", params={"limit": 1, "sort": "a.b"})
    assert response.status_code == 200


async def test_others_run_while_documents_with_arrays_are_compared(
    client: AsyncClient, collection: Documents
) -> None:
    array = [{name: str(n) for name in "bcdefghi"} for n in range(1000)]
    for n in range(30):
        collection.insert_one({"_id": f"{n:02}", "a": array})
    sort = parse_sort(",".join(f"a.{name}" for name in "bcdefghi"))
    batch = [bson.encode(document) for document in collection.find().sort("_id", 1)]
    position = sort.key(bson.decode(batch[0]))
    ranges = list(sort.ranges_after(position))
    passes = 0

    async def count() -> None:
        nonlocal passes
        while True:
            await asyncio.sleep(0)
            passes += 1

    counting = asyncio.create_task(count())
    await _after(batch, sort, position, ranges[0])
    counting.cancel()
    assert passes >= 3


@pytest.mark.parametrize(
    ("parameters", "limit"),
    [({"sort": "$" + ",a" * 8}, "8 "), ({"fields": "a" + ",a" * 100}, "100 ")],
)
async def test_names_are_counted_before_they_are_read(
    client: AsyncClient, parameters: dict[str, str], limit: str
) -> None:
    response = await client.get("/stuff", params=parameters)
    problem = assert_problem(response, 422, "invalid-parameter", parameter=next(iter(parameters)))
    assert limit in problem["detail"]


@pytest.mark.parametrize("sort", SORTS)
def test_with_a_view_documents_have_the_same_place_in_the_order(
    collection: Documents, sort: str
) -> None:
    documents = documents_of([*VALUES, [3, {"b": 1}], [{"b": 1}, "x", [{"b": 0}]]], seed=1)
    collection.insert_many(documents)
    selection = Selection(sort=parse_sort(sort), view=parse_fields("c"))
    for document in documents:
        whole = collection.find_one({"_id": document["_id"]})
        viewed = collection.find_one({"_id": document["_id"]}, selection.projection())
        assert whole is not None
        assert viewed is not None
        assert repr(selection.sort.key(viewed)) == repr(selection.sort.key(whole))


async def test_an_order_by_very_long_values_is_refused(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "text": "x" * 10_000} for n in range(2)))
    response = await client.get("/stuff", params={"limit": 1, "sort": "text"})
    assert response.status_code == 422
    assert response.json()["parameter"] == "sort"
