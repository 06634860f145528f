"""Filters, orders and deletions on paths with an `x-bson`: they take the strings that clients
see."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from bson import Binary, Decimal128, ObjectId
from httpx import AsyncClient
from pymongo import MongoClient
from pymongo.collection import Collection

from service.settings import Settings
from tests.support.applications import Application
from tests.support.declaring import declare
from tests.support.problems import assert_problem
from tests.support.typed import CANONICAL, ID, ORDER, OTHER_ID, UUID, at

Documents = Collection[dict[str, Any]]

STORED: list[dict[str, Any]] = [
    {"_id": "a", "due": at(2026, 1, 1), "total": Decimal128("2.50"), "tags": [ObjectId(ID)]},
    {"_id": "b", "due": at(2026, 6, 1), "total": Decimal128("10"), "customer": ObjectId(ID)},
    {"_id": "c", "due": at(2026, 12, 1), "total": 5, "seal": b"\x00\xff"},
    {"_id": "d", "due": "2026-06-01T00:00:00.000Z", "key": Binary(b"a" * 16, 4)},
    {
        "_id": "e",
        "lines": [
            {"price": Decimal128("1.5"), "at": at(2026, 1, 1)},
            {"price": Decimal128("3"), "at": at(2026, 6, 1), "parts": [{"at": at(2027, 1, 1)}]},
        ],
        "read_at": {"ada": at(2026, 3, 1)},
    },
]


@pytest.fixture
async def client(
    application: Application, tmp_path: Path, orders: Documents
) -> AsyncIterator[AsyncClient]:
    indexes = [{"keys": {"due": 1, "_id": 1}}]
    file = declare(tmp_path, orders={"schema": ORDER, "indexes": indexes})
    orders.insert_many(STORED)
    async with application(collections=file) as client:
        yield client


@pytest.fixture
def orders(mongo: MongoClient[dict[str, Any]], settings: Settings) -> Documents:
    """The collection as another program sees it."""
    return mongo[settings.database]["orders"]


async def found(client: AsyncClient, filter: dict[str, Any], **parameters: str) -> str:
    response = await client.get("/orders", params={"filter": json.dumps(filter), **parameters})
    assert response.status_code == 200, response.text
    return "".join(item["_id"] for item in response.json()["items"])


JUNE, KEY = "2026-06-01T00:00:00Z", "61616161-6161-6161-6161-616161616161"


@pytest.mark.parametrize(
    ("filter", "ids"),
    [
        ({"due": JUNE}, "b"),
        ({"due": "2026-06-01T02:00:00.0009+02:00"}, "b"),
        ({"due": {"$eq": JUNE}}, "b"),
        ({"due": {"$lt": JUNE}}, "a"),
        ({"due": {"$gte": JUNE}}, "bc"),
        ({"due": {"$gt": JUNE, "$lte": "2026-12-01T00:00:00Z"}}, "c"),
        ({"due": {"$in": [JUNE, "2026-01-01T00:00:00Z"]}}, "ab"),
        ({"due": {"$nin": [JUNE], "$exists": True}}, "acd"),
        ({"due": {"$ne": JUNE, "$type": "date"}}, "ac"),
        ({"due": {"$not": {"$lte": JUNE}, "$exists": True}}, "cd"),
        ({"due": {"$type": "string"}}, "d"),
        ({"due": {"$regex": "^2026"}}, "d"),
        ({"due": None}, "e"),
        ({"due": {"$date": JUNE}}, "b"),
        ({"$or": [{"due": JUNE}, {"$and": [{"customer": {"$exists": False}}, {"total": "2.5"}]}]},
         "ab"),
        ({"$nor": [{"due": {"$lte": JUNE}}, {"due": None}]}, "cd"),
        ({"total": {"$gt": "2.499"}}, "abc"),
        ({"total": {"$gt": 5}}, "b"),
        ({"customer": ID.upper()}, "b"),
        ({"seal": "AP8="}, "c"),
        ({"key": KEY}, "d"),
        ({"tags": ID}, "a"),
        ({"tags": [ID]}, "a"),
        ({"tags": {"$in": [OTHER_ID, ID]}}, "a"),
        ({"tags": {"$all": [ID]}}, "a"),
        ({"tags": {"$elemMatch": {"$gt": OTHER_ID}}}, "a"),
        ({"tags": {"$all": [{"$elemMatch": {"$eq": ID}}]}}, "a"),
        ({"tags.0": ID}, "a"),
        ({"lines.at": JUNE}, "e"),
        ({"lines.1.at": JUNE}, "e"),
        ({"lines.0.at": JUNE}, ""),
        ({"lines.parts.at": {"$gt": JUNE}}, "e"),
        ({"lines": {"$elemMatch": {"at": JUNE, "price": {"$gte": "3.0"}}}}, "e"),
        ({"lines": {"$elemMatch": {"at": JUNE, "price": "1.5"}}}, ""),
        ({"lines": {"price": "1.5", "at": "2026-01-01T00:00:00Z"}}, "e"),
        ({"lines": {"$eq": {"price": "1.5", "at": "2026-01-01T00:00:00Z"}}}, "e"),
        ({"lines": {"$in": [{"price": "1.5", "at": "2026-01-01T00:00:00Z"}]}}, "e"),
        ({"read_at.ada": {"$lt": JUNE}}, "e"),
        ({"read_at": {"ada": "2026-03-01T00:00:00Z"}}, "e"),
        ({"note": JUNE}, ""),
        ({"_id": "a"}, "a"),
    ],
)  # fmt: skip
async def test_filters_take_the_strings(
    client: AsyncClient, filter: dict[str, Any], ids: str
) -> None:
    assert await found(client, filter) == ids
    lines = await client.get(
        "/orders",
        params={"filter": json.dumps(filter)},
        headers={"Accept": "application/x-ndjson"},
    )
    assert "".join(json.loads(line)["_id"] for line in lines.text.splitlines()) == ids


@pytest.mark.parametrize(
    ("filter", "pointer"),
    [
        ({"due": "tomorrow"}, "/due"),
        ({"due": {"$lt": "2026-06-01"}}, "/due/$lt"),
        ({"due": {"$not": {"$in": [JUNE, "x"]}}}, "/due/$not/$in/1"),
        ({"$or": [{}, {"total": {"$gt": "many"}}]}, "/$or/1/total/$gt"),
        ({"lines": {"$elemMatch": {"at": ""}}}, "/lines/$elemMatch/at"),
        ({"lines.parts.at": {"$gt": "x"}}, "/lines.parts.at/$gt"),
        ({"tags": {"$all": [ID, "x"]}}, "/tags/$all/1"),
        ({"tags": [ID, "x"]}, "/tags/1"),
        ({"lines": {"at": "x"}}, "/lines/at"),
        ({"read_at.a": UUID}, "/read_at.a"),
    ],
)
async def test_a_string_that_is_no_such_value_is_named(
    client: AsyncClient, orders: Documents, filter: dict[str, Any], pointer: str
) -> None:
    for method in ("GET", "DELETE"):
        response = await client.request(method, "/orders", params={"filter": json.dumps(filter)})
        problem = assert_problem(response, 422, "invalid-parameter")
        assert (problem["parameter"], problem["pointer"]) == ("filter", pointer)
    assert orders.count_documents({}) == len(STORED)


async def test_deletions_by_filter_take_the_strings(client: AsyncClient, orders: Documents) -> None:
    filter = json.dumps({"due": {"$lt": "2026-06-01T00:00:00.001Z"}})
    deleted = await client.delete("/orders", params={"filter": filter})
    assert deleted.json() == {"deleted": 2}
    assert sorted(orders.distinct("_id")) == ["c", "d", "e"]


@pytest.mark.parametrize("sort", ["due", "-due", "total", "-total,due", "customer", "tags", "key",
                                  "lines.at", "-lines.price", "seal,due"])  # fmt: skip
async def test_pages_continue_after_typed_values(
    client: AsyncClient, orders: Documents, sort: str
) -> None:
    orders.insert_one({"_id": "f", **dict.fromkeys(CANONICAL)})
    whole = await client.get("/orders", params={"sort": sort})
    ids = [item["_id"] for item in whole.json()["items"]]
    assert sorted(ids) == list("abcdef")
    pages: list[str] = []
    after: dict[str, str] = {}
    for _ in ids:
        page = await client.get("/orders", params={"sort": sort, "limit": "1", **after})
        assert page.status_code == 200, page.text
        pages += [item["_id"] for item in page.json()["items"]]
        after = {"after": page.json()["next"] or ""}
    assert pages == ids
    assert after == {"after": ""}


async def test_cursors_belong_to_the_value_of_a_filter_not_to_its_string(
    client: AsyncClient,
) -> None:
    sent = {"filter": json.dumps({"due": {"$gte": "2026-01-01T00:00:00Z"}}), "sort": "due"}
    first = await client.get("/orders", params=sent | {"limit": "1"})
    sent["filter"] = json.dumps({"due": {"$gte": "2026-01-01T01:00:00+01:00"}})
    rest = await client.get("/orders", params=sent | {"after": first.json()["next"]})
    assert [item["_id"] for item in rest.json()["items"]] == ["b", "c"]


async def test_two_types_for_one_string_are_told_apart_by_extended_json(
    application: Application, tmp_path: Path
) -> None:
    date = {"type": "object", "properties": {"at": {"type": "string", "x-bson": "date"}}}
    uuid = {"type": "object", "properties": {"at": {"type": "string", "x-bson": "uuid"}}}
    either = {"anyOf": [date, {"type": "array", "items": uuid}]}
    file = declare(tmp_path, orders={"schema": {"properties": {"a": either}}})
    async with application(collections=file) as client:
        await client.put("/orders/f", json={"a": {"at": JUNE}})
        await client.put("/orders/g", json={"a": [{"at": KEY}]})
        response = await client.get("/orders", params={"filter": json.dumps({"a.at": JUNE})})
        problem = assert_problem(response, 422, "invalid-parameter")
        assert "date, uuid" in problem["detail"]
        assert await found(client, {"a.at": {"$date": JUNE}}) == "f"
        assert await found(client, {"a.0.at": KEY}) == "g"
