"""Ids and types of the schema together, in a collection that belongs to another program."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bson
from bson import Binary, Decimal128, ObjectId
from pymongo import MongoClient

from service.settings import Settings
from tests.support.applications import Application
from tests.support.declaring import declare
from tests.support.extended import NDEJSON, raw
from tests.support.requests import MERGE, NDJSON

ORDER = {
    "title": "Order",
    "type": "object",
    "properties": {
        "customer": {"type": "string", "x-bson": "uuid"},
        "placed": {"type": "string", "format": "date-time", "x-bson": "date"},
        "lines": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "product": {"type": "string", "x-bson": "objectid"},
                    "price": {"type": "string", "x-bson": "decimal"},
                },
                "required": ["product", "price"],
                "additionalProperties": False,
            },
        },
    },
    "required": ["placed", "lines"],
    "additionalProperties": False,
}
CUSTOMER = "018e3a5f-7c00-7000-8000-0123456789ab"
PRODUCT = "65f0c0ffee0000000000000a"
IDS = [f"65f0c0ffee0000000000b{n:03x}" for n in range(5)]


def order(n: int) -> dict[str, Any]:
    return {
        "_id": ObjectId(IDS[n]),
        "placed": datetime(2026, 1, 1 + n, tzinfo=UTC),
        "lines": [{"product": ObjectId(PRODUCT), "price": Decimal128("1.50")}],
        "customer": Binary(bytes.fromhex(CUSTOMER.replace("-", "")), 4),
    }


def shown(n: int) -> dict[str, Any]:
    return {
        "_id": IDS[n],
        "placed": f"2026-01-{1 + n:02}T00:00:00.000Z",
        "lines": [{"product": PRODUCT, "price": "1.50"}],
        "customer": CUSTOMER,
    }


async def test_ids_and_typed_paths_are_strings_in_json_and_values_in_the_database(
    application: Application,
    mongo: MongoClient[dict[str, Any]],
    settings: Settings,
    tmp_path: Path,
) -> None:
    orders = mongo[settings.database]["orders"]
    file = declare(tmp_path, orders={"id": "objectid", "metadata": False, "schema": ORDER})
    orders.insert_many(map(order, range(4)))
    async with application(collections=file) as client:
        assert (await client.get("/orders")).json()["items"] == [*map(shown, range(4))]
        filter = {"_id": {"$gt": IDS[1]}, "placed": {"$lt": "2026-01-04T00:00:00Z"}}
        found = await client.get("/orders", params={"filter": json.dumps(filter)})
        assert found.json()["items"] == [shown(2)]
        created = await client.put(f"/orders/{IDS[4]}", json=shown(4))
        assert created.status_code == 201
        assert raw(orders)[4] == bson.encode(order(4))
        patched = await client.patch(f"/orders/{IDS[4]}", json={"customer": None}, headers=MERGE)
        assert "customer" not in patched.json()
        before = raw(orders)
        for accept, sent in (("application/x-ndjson", NDJSON), ("application/x-ndejson", NDEJSON)):
            text = (await client.get("/orders", headers={"Accept": accept})).content
            orders.delete_many({})
            report = (await client.post("/orders", content=text, headers=sent)).json()
            assert (report["created"], report["failed"]) == (5, 0), report
            assert raw(orders) == before
