"""Pages: every document once and in order, whatever its types, and whatever others write."""

import json
import math
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import anyio
import pytest
from bson import Binary, Decimal128, Int64, MaxKey, MinKey, ObjectId, Regex, Timestamp
from httpx import AsyncClient
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pymongo.collection import Collection

from service.documents.query import Selection, Sort, parse_fields, parse_sort
from service.documents.query.values import comparable
from tests.support.problems import assert_problem

Documents = Collection[dict[str, Any]]


async def read_pages(client: AsyncClient, limit: int, **parameters: Any) -> list[dict[str, Any]]:
    """All items of all pages, found by `next`."""
    items: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    for _ in range(1000):
        response = await client.get("/stuff", params=parameters | {"limit": limit} | after)
        assert response.status_code == 200, response.text
        page = response.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next"] is None:
            return items
        assert page["items"]
        after = {"after": page["next"]}
    raise AssertionError("the pages do not end")


async def fill(client: AsyncClient, *documents: dict[str, Any]) -> None:
    lines = "\n".join(json.dumps(document) for document in documents)
    headers = {"Content-Type": "application/x-ndjson"}
    report = (await client.post("/stuff", content=lines, headers=headers)).json()
    assert report["failed"] == 0, report


async def test_a_page_has_items_and_the_cursor_of_the_next_one(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "n": n} for n in range(5)))
    first = (await client.get("/stuff", params={"limit": 3})).json()
    assert first["items"] == [{"_id": f"{n}", "n": n} for n in range(3)]
    second = (await client.get("/stuff", params={"limit": 3, "after": first["next"]})).json()
    assert second == {"items": [{"_id": "3", "n": 3}, {"_id": "4", "n": 4}], "next": None}


async def test_a_page_that_holds_the_last_document_is_the_last_page(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}"} for n in range(4)))
    for limit in (2, 4):
        assert len(await read_pages(client, limit)) == 4
    assert (await client.get("/stuff", params={"limit": 4})).json()["next"] is None


async def test_an_empty_collection_has_one_empty_page(client: AsyncClient) -> None:
    assert (await client.get("/stuff")).json() == {"items": [], "next": None}


async def test_a_page_has_a_hundred_documents_unless_told_otherwise(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n:04}"} for n in range(1001)))
    assert len((await client.get("/stuff")).json()["items"]) == 100
    assert len((await client.get("/stuff", params={"limit": 1000})).json()["items"]) == 1000
    refused = await client.get("/stuff", params={"limit": 1001})
    assert refused.status_code == 422
    assert refused.json()["parameter"] == "limit"


async def test_the_link_header_leads_through_all_pages(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "name": "Zoë & Ada", "n": n % 3} for n in range(7)))
    parameters = {"limit": "2", "sort": "-n", "filter": '{"name": "Zoë & Ada"}', "fields": "n"}
    response = await client.get("/stuff", params=parameters)
    seen = response.json()["items"]
    while "next" in response.links:
        response = await client.get(response.links["next"]["url"])
        seen += response.json()["items"]
    assert [item["n"] for item in seen] == [2, 2, 1, 1, 0, 0, 0]
    assert len({item["_id"] for item in seen}) == 7


async def test_large_documents_make_pages_shorter(client: AsyncClient) -> None:
    text = "x" * 6_000_000
    for n in range(5):
        await client.put(f"/stuff/{n}", json={"text": text})
    page = (await client.get("/stuff")).json()
    assert [item["_id"] for item in page["items"]] == ["0", "1"]
    assert [item["_id"] for item in await read_pages(client, 100)] == list("01234")


async def test_total_counts_what_matches(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "n": n} for n in range(9)))
    parameters = {"limit": "2", "count": "true", "filter": '{"n": {"$lt": 7}}'}
    page = (await client.get("/stuff", params=parameters)).json()
    assert page["total"] == 7
    after = parameters | {"after": page["next"]}
    assert (await client.get("/stuff", params=after)).json()["total"] == 7


async def test_metadata_is_that_of_each_document(client: AsyncClient) -> None:
    etag = (await client.put("/stuff/ada", json={"a": 1, "b": 2})).headers["etag"]
    for parameters in ({"meta": "true"}, {"meta": "true", "fields": "a"}):
        [item] = (await client.get("/stuff", params=parameters)).json()["items"]
        assert f'"{item["_stuff"]["etag"]}"' == etag
        assert datetime.fromisoformat(item["_stuff"]["updated_at"]).tzinfo == UTC
    [item] = (await client.get("/stuff")).json()["items"]
    assert "_stuff" not in item


@pytest.mark.parametrize("sort", [None, "z", "a.b", "-a"])
async def test_fields_picks_the_same_as_for_one_document(
    client: AsyncClient, sort: str | None
) -> None:
    document = {
        "z": 0,
        "a": [{"b": 1, "c": 2}, 3, [{"b": 4, "d": 5}]],
        "d": {"e": {"f": 6}},
        "g": 7,
    }
    await client.put("/stuff/1", json=document)
    for fields in ("a.b", "d", "d.e", "g.h", "d.e.f,a", "_id", "a.c,d,d.e"):
        parameters = {"fields": fields} | ({"sort": sort} if sort else {})
        [item] = (await client.get("/stuff", params=parameters)).json()["items"]
        assert item == (await client.get("/stuff/1", params={"fields": fields})).json(), fields


async def test_documents_are_sorted_by_when_they_were_written(client: AsyncClient) -> None:
    for name in ("b", "c", "a"):
        await client.put(f"/stuff/{name}", json={})
        await anyio.sleep(0.002)
    items = await read_pages(client, 1, sort="-_stuff.updated_at")
    assert [item["_id"] for item in items] == ["a", "c", "b"]


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


async def test_writes_between_pages_neither_repeat_nor_hide_an_untouched_document(
    client: AsyncClient,
) -> None:
    chance = random.Random(7)
    await fill(client, *({"_id": f"{n:03}", "n": chance.randrange(20)} for n in range(200)))
    untouched = {f"{n:03}" for n in range(0, 200, 2)}
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await client.get("/stuff", params={"limit": "7", "sort": "-n"} | after)).json()
        seen += [item["_id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
        for _ in range(10):
            id = f"{chance.randrange(1, 200, 2):03}"
            match chance.randrange(3):
                case 0:
                    await client.put(f"/stuff/{id}", json={"n": chance.randrange(20)})
                case 1:
                    await client.delete(f"/stuff/{id}")
                case 2:
                    await client.post("/stuff", json={"n": chance.randrange(20)})
    assert sorted(id for id in seen if id in untouched) == sorted(untouched)


async def test_a_page_can_start_after_a_deleted_document(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}"} for n in range(5)))
    first = (await client.get("/stuff", params={"limit": 2})).json()
    for id in ("0", "1", "2"):
        await client.delete(f"/stuff/{id}")
    second = (await client.get("/stuff", params={"after": first["next"]})).json()
    assert [item["_id"] for item in second["items"]] == ["3", "4"]


@pytest.mark.parametrize(
    "change",
    [
        {"sort": "-n"},
        {"sort": "n,_id"},
        {"filter": '{"n": 1}'},
        {"after": ""},
        {"after": "AAAA"},
        {"after": "no cursor"},
        {"after": "é"},
    ],
)
async def test_a_cursor_belongs_to_its_query(client: AsyncClient, change: dict[str, str]) -> None:
    await fill(client, *({"_id": f"{n}", "n": 1} for n in range(3)))
    query = {"limit": "1", "filter": '{"n": {"$gt": 0}}'}
    page = (await client.get("/stuff", params=query)).json()
    response = await client.get("/stuff", params=query | {"after": page["next"]} | change)
    assert_problem(response, 422, "invalid-parameter", parameter="after")


async def test_a_changed_cursor_is_refused(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}"} for n in range(3)))
    cursor = (await client.get("/stuff", params={"limit": 1})).json()["next"]
    for position in range(0, len(cursor), 7):
        other = "B" if cursor[position] == "A" else "A"
        changed = cursor[:position] + other + cursor[position + 1 :]
        assert (await client.get("/stuff", params={"after": changed})).status_code == 422


async def test_the_view_and_the_size_of_pages_may_change_on_the_way(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "n": n} for n in range(5)))
    cursor = (await client.get("/stuff", params={"limit": 1})).json()["next"]
    parameters = {"limit": "2", "fields": "n", "after": cursor}
    page = (await client.get("/stuff", params=parameters)).json()
    assert [item["n"] for item in page["items"]] == [1, 2]


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
    await fill(client, *({"_id": f"{n}", "a": list(range(10_001 - n))} for n in range(3)))
    assert len(await read_pages(client, 1, sort="a", filter='{"_id": {"$gt": "0"}}')) == 2
    response = await client.get("/stuff", params={"limit": 1, "sort": "a"})
    assert_problem(response, 422, "invalid-parameter", parameter="sort")


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


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "ten", "1.5", ""])
async def test_an_invalid_limit_is_refused(client: AsyncClient, limit: str) -> None:
    response = await client.get("/stuff", params={"limit": limit})
    assert response.status_code == 422
    assert response.json()["parameter"] == "limit"


async def test_an_order_by_very_long_values_is_refused(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "text": "x" * 10_000} for n in range(2)))
    response = await client.get("/stuff", params={"limit": 1, "sort": "text"})
    assert response.status_code == 422
    assert response.json()["parameter"] == "sort"


async def test_head_answers_what_get_would(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}"} for n in range(3)))
    same = {"X-Request-ID": "same"}
    get = await client.get("/stuff", params={"limit": 1}, headers=same)
    head = await client.head("/stuff", params={"limit": 1}, headers=same)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == get.headers
