"""The database of a shop, as another program has built it with nothing but the driver."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from bson import Binary, DBRef, Decimal128, ObjectId
from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

Shop = Database[dict[str, Any]]

OPENED = datetime(2024, 2, 1, 9, tzinfo=UTC)
STATES = ["new", "paid", "shipped"]
LINE = {
    "bsonType": "object",
    "required": ["sku", "quantity", "price"],
    "properties": {
        "sku": {"bsonType": "string"},
        "quantity": {"bsonType": ["int", "long"]},
        "price": {"bsonType": "decimal"},
        "tags": {"bsonType": "array", "items": {"bsonType": "string"}},
    },
    "additionalProperties": False,
}
PAYMENT = {
    "bsonType": "object",
    "required": ["at", "amount", "reference"],
    "properties": {
        "at": {"bsonType": "date"},
        "amount": {"bsonType": "decimal"},
        "reference": {"bsonType": "binData"},
    },
    "additionalProperties": False,
}
VALIDATOR = {
    "$jsonSchema": {
        "bsonType": "object",
        "required": ["_id", "customer", "placed", "status", "total"],
        "properties": {
            "_id": {"bsonType": "objectId"},
            "version": {"bsonType": ["int", "long"]},
            "customer": {"bsonType": "objectId"},
            "placed": {"bsonType": "date"},
            "status": {"enum": STATES},
            "total": {"bsonType": ["double", "decimal"]},
            "lines": {"bsonType": "array", "items": LINE},
            "address": {"bsonType": "object"},
            "payments": {"bsonType": "array", "items": PAYMENT},
            "delivered": {"bsonType": ["date", "null"]},
        },
        "additionalProperties": False,
    }
}
"""No other field, and no other type: `_stuff` would be refused, and a date that is text."""


def customer_id(number: int) -> ObjectId:
    return ObjectId(f"65f0c0ffee{number:014x}")


def order_id(number: int) -> ObjectId:
    return ObjectId(f"65f0c0de{number:016x}")


def customer(number: int) -> dict[str, Any]:
    return {
        "_id": customer_id(number),
        "name": f"Customer {number}",
        "email": f"customer{number}@example.org",
        "since": OPENED + timedelta(days=number),
        "photo": bytes([number % 256]) * 3,
        "referrer": DBRef("customers", customer_id(0)),
        "visits": {f"2026-{month:02}": number + month for month in range(1, 1 + number % 4)},
    }


def order(number: int) -> dict[str, Any]:
    """An order in the first, the second or the third version of the program."""
    version = 1 + number % 3
    found: dict[str, Any] = {
        "_id": order_id(number),
        "customer": customer_id(number % 20),
        "placed": OPENED + timedelta(hours=number, milliseconds=number),
        "status": STATES[number % 3],
        "total": 9.5 if version == 1 else Decimal128(f"{number}.50"),
    }
    if version >= 2:
        found["version"] = version
        found["lines"] = [line(number, position) for position in range(number % 4)]
        found["address"] = {"street": f"{number} Main Street", "city": "Berlin", "zip": None}
        found["address"] |= {"zip": "10115"} if number % 2 else {}
    if version == 3:
        found["payments"] = [payment(number)]
        found["delivered"] = OPENED + timedelta(days=number) if number % 2 else None
        for each in found["lines"]:
            each["tags"] = ["gift"] if number % 2 else []
    return found


def line(number: int, position: int) -> dict[str, Any]:
    return {"sku": f"A-{position}", "quantity": 1 + number % 5, "price": Decimal128("1.10")}


def payment(number: int) -> dict[str, Any]:
    return {
        "at": OPENED + timedelta(hours=number),
        "amount": Decimal128(f"{number}.50"),
        "reference": Binary(UUID(int=number, version=4).bytes, 4),
    }


def build(shop: Shop, orders: int = 90) -> None:
    """Collections that can be served, and others."""
    shop.create_collection("orders", validator=VALIDATOR)
    shop.orders.insert_many(map(order, range(orders)))
    shop.orders.create_index([("customer", ASCENDING), ("placed", DESCENDING)])
    shop.customers.insert_many(map(customer, range(20)))
    shop.customers.create_index("email", unique=True, name="one_email")
    shop.get_collection("Invoices.2026").insert_many(
        {"_id": number, "order": order_id(number), "paid": number % 2 == 0} for number in range(30)
    )
    shop.sessions.insert_many(
        {"_id": Binary(UUID(int=number, version=4).bytes, 4), "expires": OPENED}
        for number in range(30)
    )
    shop.create_collection("archive", capped=True, size=4096)
    shop.create_collection("drafts")
    shop.command("create", "open_orders", viewOn="orders", pipeline=[])
