"""Collections whose ids are no text: pages, streams, filters, loads, exports and the feed."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from bson import Int64, ObjectId
from httpx import AsyncClient
from pymongo import MongoClient
from pymongo.collection import Collection

from service.settings import Settings
from tests.support.applications import Application, live
from tests.support.declaring import declare
from tests.support.extended import NDEJSON, raw
from tests.support.following import follow
from tests.support.ids import TYPED, Typed, each_type
from tests.support.problems import assert_problem
from tests.support.requests import NDJSON

Documents = Collection[dict[str, Any]]
LINES = {"Accept": "application/x-ndjson"}
EXTENDED_LINES = {"Accept": "application/x-ndejson"}


@pytest.fixture
def orders(mongo: MongoClient[dict[str, Any]], settings: Settings) -> Documents:
    return mongo[settings.database]["orders"]


@pytest.fixture
def file(tmp_path: Path, typed: Typed) -> Path:
    return declare(tmp_path, orders={"id": typed.name, "metadata": False})


@pytest.fixture
async def client(application: Application, file: Path) -> AsyncIterator[AsyncClient]:
    async with application(collections=file) as client:
        yield client


async def ids(client: AsyncClient, filter: Any, **parameters: str) -> list[str]:
    """The ids in a page."""
    response = await client.get("/orders", params={"filter": json.dumps(filter)} | parameters)
    assert response.status_code == 200, response.text
    return [item["_id"] for item in response.json()["items"]]


async def load(client: AsyncClient, headers: dict[str, str], *lines: str) -> dict[str, Any]:
    response = await client.post("/orders", content="\n".join(lines).encode(), headers=headers)
    assert response.status_code == 200, response.text
    report: dict[str, Any] = response.json()
    return report


@each_type
@pytest.mark.parametrize("sort", ["_id", "-_id", "n", "-n,_id"])
async def test_pages_show_every_document_once_in_either_order(
    client: AsyncClient, orders: Documents, typed: Typed, sort: str
) -> None:
    orders.insert_many({"_id": id, "n": n // 2} for n, id in enumerate(typed.values))
    whole = await ids(client, {}, sort=sort)
    assert sorted(whole) == sorted(typed.texts)
    shown: list[str] = []
    path = f"/orders?limit=2&sort={sort}"
    while path:
        page = await client.get(path)
        shown += [item["_id"] for item in page.json()["items"]]
        path = page.links.get("next", {}).get("url", "")
    assert shown == whole
    if sort.endswith("_id") and "n" not in sort:
        assert whole == list(typed.texts[:: -1 if sort.startswith("-") else 1])
    stream = await client.get(f"/orders?sort={sort}", headers=LINES)
    assert [json.loads(line)["_id"] for line in stream.text.splitlines()] == whole


@each_type
async def test_filters_compare_the_id_with_canonical_strings(
    client: AsyncClient, orders: Documents, typed: Typed
) -> None:
    a, b, c, d, e = typed.texts
    orders.insert_many({"_id": id, "n": n} for n, id in enumerate(typed.values))
    for filter, found in (
        ({"_id": b}, [b]),
        ({"_id": {"$eq": b}}, [b]),
        ({"_id": {"$ne": b}}, [a, c, d, e]),
        ({"_id": {"$in": [e, a]}}, [a, e]),
        ({"_id": {"$nin": [e, a]}}, [b, c, d]),
        ({"_id": {"$gt": b}}, [c, d, e]),
        ({"_id": {"$gte": b, "$lt": d}}, [b, c]),
        ({"_id": {"$lte": b}}, [a, b]),
        ({"_id": {"$not": {"$gt": b}}}, [a, b]),
        ({"_id": {"$exists": True}}, [a, b, c, d, e]),
        ({"$or": [{"_id": a}, {"$and": [{"_id": {"$gt": c}}, {"n": 4}]}]}, [a, e]),
        ({"$nor": [{"_id": a}, {"_id": e}]}, [b, c, d]),
        ({"n": 1}, [b]),
    ):
        assert await ids(client, filter) == found, filter
        count = await client.get(
            "/orders", params={"filter": json.dumps(filter), "count": "true", "limit": 1}
        )
        assert count.json()["total"] == len(found)
    gone = await client.delete("/orders", params={"filter": json.dumps({"_id": {"$lte": b}})})
    assert gone.json() == {"deleted": 2}
    assert await ids(client, {}) == [c, d, e]


@each_type
async def test_a_filter_with_a_string_that_is_no_id_is_refused_with_its_place(
    client: AsyncClient, orders: Documents, typed: Typed
) -> None:
    orders.insert_one({"_id": typed.values[0]})
    for other in typed.others:
        for filter, place in (
            ({"_id": other}, "/_id"),
            ({"_id": {"$ne": other}}, "/_id/$ne"),
            ({"$or": [{"n": 1}, {"_id": {"$not": {"$nin": [other]}}}]}, "/$or/1/_id/$not/$nin/0"),
        ):
            for method in ("GET", "DELETE"):
                refused = await client.request(
                    method, "/orders", params={"filter": json.dumps(filter)}
                )
                assert_problem(refused, 422, "invalid-parameter", pointer=place)
    assert orders.count_documents({}) == 1


@pytest.mark.parametrize("typed", TYPED[:2], ids=str)
async def test_bounds_may_be_beginnings_of_ids(
    client: AsyncClient, orders: Documents, typed: Typed
) -> None:
    orders.insert_many({"_id": id} for id in typed.values)
    a, b, c, *rest = typed.texts
    start = a[:-1]  # of all but the last two
    after = start + "\U0010ffff"
    assert await ids(client, {"_id": {"$gte": start, "$lt": after}}) == list(typed.texts)
    assert await ids(client, {"_id": {"$gte": b + "x"}}) == [c, *rest]
    assert await ids(client, {"_id": {"$lt": b + "x"}}) == [a, b]
    assert await ids(client, {"_id": {"$gt": "", "$lt": "g"}}) == list(typed.texts)
    assert await ids(client, {"_id": {"$gt": "g"}}) == []
    both = await client.get("/orders", params={"filter": '{"_id": {"$gt": "1", "$gte": "x"}}'})
    assert both.status_code == 200
    twice = await client.get("/orders", params={"filter": '{"_id": {"$gt": "1", "$gte": "2"}}'})
    assert_problem(twice, 422, "invalid-parameter", pointer="/_id/$gte")


@pytest.mark.parametrize("typed", TYPED[2:], ids=str)
async def test_a_bound_of_integers_is_an_integer(client: AsyncClient, orders: Documents) -> None:
    orders.insert_one({"_id": 1})
    refused = await client.get("/orders", params={"filter": '{"_id": {"$gt": "1x"}}'})
    assert_problem(refused, 422, "invalid-parameter", pointer="/_id/$gt")
    assert await ids(client, {"_id": {"$gt": 0}}) == ["1"]


@each_type
@pytest.mark.parametrize("headers", [NDJSON, NDEJSON], ids=["json", "extended"])
async def test_loads_take_canonical_strings(
    client: AsyncClient, orders: Documents, typed: Typed, headers: dict[str, str]
) -> None:
    orders.insert_one({"_id": typed.values[0], "n": 0})
    lines = [json.dumps({"_id": text, "n": n}) for n, text in enumerate(typed.texts)]
    again = json.dumps({"_id": typed.texts[1], "n": 7})
    wrong = json.dumps({"_id": typed.others[0]})
    report = await load(client, headers, *lines, again, wrong)
    assert (report["created"], report["replaced"], report["failed"]) == (4, 2, 1)
    assert [error["line"] for error in report["errors"]] == [7]
    assert [document["_id"] for document in orders.find(sort=[("_id", 1)])] == [*typed.values]
    assert orders.find_one({"_id": typed.values[1]}, {"_id": 0}) == {"n": 7}


@each_type
async def test_a_line_without_an_id_gets_one_of_the_type(
    client: AsyncClient, orders: Documents, typed: Typed
) -> None:
    report = await load(client, NDJSON, '{"n": 1}', '{"n": 2}')
    if typed.name == "integer":
        assert (report["created"], report["failed"]) == (0, 2)
        assert report["errors"][0]["pointer"] == "/_id"
    else:
        assert report["created"] == 2
        assert {type(document["_id"]) for document in orders.find()} == {type(typed.values[0])}


async def test_numbers_are_no_canonical_strings(application: Application, tmp_path: Path) -> None:
    file = declare(tmp_path, orders={"id": "integer"})
    async with application(collections=file) as client:
        report = await load(client, NDJSON, '{"_id": 5}')
    assert report["errors"][0]["pointer"] == "/_id"


@each_type
async def test_what_is_exported_is_imported_with_the_same_bytes(
    client: AsyncClient, orders: Documents, typed: Typed
) -> None:
    odd = [5.5, "text", typed.texts[0], True, ObjectId("0" * 24), Int64(77), {"a": 1}]
    orders.insert_many({"_id": id, "n": n} for n, id in enumerate([*typed.values, *odd]))
    before = raw(orders)
    exported = (await client.get("/orders", headers=EXTENDED_LINES)).text
    orders.delete_many({})
    report = await load(client, NDEJSON, *exported.splitlines())
    assert (report["created"], report["failed"]) == (len(before), 0)
    assert raw(orders) == before


@each_type
@pytest.mark.parametrize("sent", [NDJSON, NDEJSON], ids=["json", "extended"])
async def test_without_ids_of_other_types_plain_json_will_do(
    client: AsyncClient, orders: Documents, typed: Typed, sent: dict[str, str]
) -> None:
    orders.insert_many({"_id": id, "n": n} for n, id in enumerate(map(plain, typed.values)))
    before = raw(orders)
    exported = (await client.get("/orders", headers=LINES)).text
    assert [json.loads(line)["_id"] for line in exported.splitlines()] == [*typed.texts]
    orders.delete_many({})
    await load(client, sent, *exported.splitlines())
    assert raw(orders) == before


def plain(id: Any) -> Any:
    """The id as the service stores it: an integer in as few bits as it fits."""
    return int(id) if isinstance(id, int) else id


@each_type
async def test_extended_json_of_one_document_is_stored_again(
    client: AsyncClient, orders: Documents, typed: Typed
) -> None:
    ejson = {"Accept": "application/ejson", "Content-Type": "application/ejson"}
    path = f"/orders/{typed.texts[3]}"
    await client.put(path, json={"n": 1})
    before = raw(orders)
    shown = await client.get(path, headers=ejson)
    assert isinstance(shown.json()["_id"], dict)
    assert (await client.put(path, content=shown.content, headers=ejson)).status_code == 200
    assert raw(orders) == before
    as_text = json.dumps({"_id": typed.texts[3], "n": {"$numberInt": "1"}})
    assert (await client.put(path, content=as_text, headers=ejson)).status_code == 200
    assert raw(orders) == before
    other = await client.put(f"/orders/{typed.texts[0]}", content=shown.content, headers=ejson)
    assert_problem(other, 422, "invalid-document", pointer="/_id")


@each_type
async def test_the_feed_has_canonical_strings_and_follows_one_document(
    settings: Settings, file: Path, orders: Documents, typed: Typed
) -> None:
    text, other = typed.texts[:2]
    filter = json.dumps({"_id": {"$gte": other}})
    async with (
        live(settings, collections=file) as client,
        follow(client, "/orders") as every,
        follow(client, f"/orders/{text}") as one,
        follow(client, "/orders", filter=filter) as some,
    ):
        orders.insert_one({"_id": typed.values[0], "n": 0})  # another program
        await client.put(f"/orders/{other}", json={"n": 1})
        await client.delete(f"/orders/{text}")
        put, second, deleted = await every.take(3)
        assert put.data["_id"] == put.data["document"]["_id"] == text
        assert second.data["_id"] == other
        assert deleted.data == {"_id": text, "etag": None, "document": None}
        assert [(event.kind, event.data["_id"]) for event in await one.take(2)] == [
            ("put", text),
            ("delete", text),
        ]
        assert (await some.next()).data["_id"] == other
        async with follow(client, f"/orders/{text}", last=put.id) as resumed:
            assert (await resumed.next()).kind == "delete"


@each_type
async def test_a_delete_by_filter_and_writes_by_path_take_turns(
    client: AsyncClient, orders: Documents, typed: Typed
) -> None:
    for _ in range(5):
        answers = await asyncio.gather(
            *(client.put(f"/orders/{text}", json={}) for text in typed.texts),
            client.delete("/orders", params={"filter": "{}"}),
        )
        assert answers[-1].json() == {"deleted": len(typed.texts)}
        assert orders.count_documents({}) == 0
