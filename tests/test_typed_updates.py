"""Update operators on paths with an `x-bson`: they take the strings that clients see."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from bson import Decimal128, ObjectId
from httpx import AsyncClient
from pymongo import MongoClient
from pymongo.collection import Collection

from service.settings import Settings
from tests.support.applications import Application
from tests.support.committing import commit, write
from tests.support.declaring import declare
from tests.support.patching import update
from tests.support.problems import assert_problem
from tests.support.typed import CANONICAL, ID, ORDER, OTHER_ID, STORED, at

Documents = Collection[dict[str, Any]]
MOMENT, EARLIER = "2027-01-01T01:00:00+01:00", "2020-01-01T00:00:00Z"


@pytest.fixture
async def client(application: Application, tmp_path: Path) -> AsyncIterator[AsyncClient]:
    async with application(collections=declare(tmp_path, orders={"schema": ORDER})) as client:
        yield client


@pytest.fixture
def orders(mongo: MongoClient[dict[str, Any]], settings: Settings) -> Documents:
    """The collection as another program sees it."""
    orders = mongo[settings.database]["orders"]
    orders.insert_one({"_id": "a", **STORED})
    return orders


LINE = STORED["lines"][0]


@pytest.mark.parametrize(
    ("operators", "changed"),
    [
        ({"$set": {"due": MOMENT}}, {"due": at(2027, 1, 1)}),
        ({"$set": {"lines.0.at": MOMENT}}, {"lines": [LINE | {"at": at(2027, 1, 1)}]}),
        ({"$set": {"lines": [{"at": MOMENT}]}}, {"lines": [{"at": at(2027, 1, 1)}]}),
        ({"$set": {"read_at": {"eve": MOMENT}}}, {"read_at": {"eve": at(2027, 1, 1)}}),
        ({"$set": {"read_at.ada": MOMENT}},
         {"read_at": STORED["read_at"] | {"ada": at(2027, 1, 1)}}),
        ({"$min": {"due": EARLIER}}, {"due": at(2020, 1, 1)}),
        ({"$max": {"due": EARLIER}}, {}),
        ({"$inc": {"total": 1}}, {"total": Decimal128("13.50")}),
        ({"$push": {"tags": ID.upper()}}, {"tags": [*STORED["tags"], ObjectId(ID)]}),
        ({"$push": {"lines": {"$each": [{"at": MOMENT}], "$position": 0}}},
         {"lines": [{"at": at(2027, 1, 1)}, LINE]}),
        ({"$addToSet": {"tags": OTHER_ID}}, {}),
        ({"$pull": {"tags": ID}}, {"tags": [ObjectId(OTHER_ID)]}),
        ({"$pull": {"tags": {"$in": [ID, OTHER_ID]}}}, {"tags": []}),
        ({"$pull": {"lines": {"at": {"$lt": MOMENT}}}}, {"lines": []}),
        ({"$set": {"note": MOMENT, "more": MOMENT}}, {"note": MOMENT, "more": MOMENT}),
    ],
)  # fmt: skip
async def test_operators_store_values_of_the_types(
    client: AsyncClient, orders: Documents, operators: dict[str, Any], changed: dict[str, Any]
) -> None:
    response = await update(client, operators, "/orders/a")
    assert response.status_code == 200, response.text
    found = orders.find_one({"_id": "a"}, {"_id": 0, "_stuff": 0})
    assert found == STORED | changed
    assert response.json() == (await client.get("/orders/a")).json()
    unchanged = {key: value for key, value in CANONICAL.items() if key not in changed}
    assert response.json().items() >= unchanged.items()


@pytest.mark.parametrize(
    ("operators", "pointer"),
    [
        ({"$set": {"due": "x"}}, "/$set/due"),
        ({"$set": {"lines.0": {"parts": [{}, {"at": "x"}]}}}, "/$set/lines.0/parts/1/at"),
        ({"$push": {"tags": {"$each": [ID, "x"]}}}, "/$push/tags/$each/1"),
        ({"$pull": {"lines": {"at": {"$lt": "x"}}}}, "/$pull/lines/at/$lt"),
        ({"$pull": {"tags": "x"}}, "/$pull/tags"),
    ],
)
async def test_a_string_that_is_no_such_value_is_named(
    client: AsyncClient, orders: Documents, operators: dict[str, Any], pointer: str
) -> None:
    response = await update(client, operators, "/orders/a")
    problem = assert_problem(response, 422, "invalid-patch")
    assert problem["pointer"] == pointer
    assert orders.find_one({"_id": "a"}, {"_id": 0}) == STORED


async def test_an_upsert_stores_values_of_the_types(client: AsyncClient, orders: Documents) -> None:
    operators = {"$set": {"due": MOMENT}, "$push": {"tags": ID}}
    created = await update(client, operators, "/orders/b?upsert=true")
    assert created.status_code == 201, created.text
    found = orders.find_one({"_id": "b"}, {"_id": 0, "_stuff": 0})
    assert found == {"due": at(2027, 1, 1), "tags": [ObjectId(ID)]}


@pytest.mark.parametrize(("price", "factor"), [("9E+6144", 10), ("Infinity", 0)])
async def test_a_result_that_is_no_decimal_is_a_fault_of_the_patch(
    client: AsyncClient, orders: Documents, price: str, factor: int
) -> None:
    """The embedded engine fails. MongoDB makes it Infinity, or NaN."""
    orders.insert_one({"_id": "b", "price": Decimal128(price)})
    operators = {"$mul": {"price": factor}}
    alone = await update(client, operators, "/orders/b")
    together = await commit(client, write("update", "b", operators, collection="orders"))
    for answer in (alone, together):
        assert answer.status_code in (200, 422), answer.text
