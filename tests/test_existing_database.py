"""A database that another program has built with the driver alone, served by two commands, while
that program goes on writing."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import bson
import pytest
from bson import Binary, Decimal128, ObjectId
from httpx import AsyncClient
from pymongo import MongoClient

from service.settings import Settings
from tests.support.applications import Application, listen
from tests.support.clients import connect
from tests.support.commands import stuff_here
from tests.support.following import follow
from tests.support.problems import assert_problem
from tests.support.requests import MERGE
from tests.support.shop import Shop, build, customer_id, order, order_id
from tests.support.shopkeeping import FIRST_NEW, shopkeeping

ORDERS = 90
NEW = {
    "version": 3,
    "customer": str(customer_id(1)),
    "placed": "2026-12-01T09:30:00+01:00",
    "status": "new",
    "total": 12.5,
    "lines": [{"sku": "A-1", "quantity": 2, "price": "5.00", "tags": ["gift"]}],
    "address": {"street": "1 Main Street", "city": "Berlin", "zip": None},
    "payments": [],
    "delivered": None,
}


@pytest.fixture
def shop(mongo: MongoClient[dict[str, Any]], settings: Settings) -> Shop:
    shop = mongo[settings.database]
    build(shop, ORDERS)
    return shop


@pytest.fixture
def file(shop: Shop, settings: Settings, tmp_path: Path) -> Path:
    """The first of the two commands."""
    file = tmp_path / "collections.json"
    assert settings.mongodb_uri is not None
    uri = settings.mongodb_uri.get_secret_value()
    done = stuff_here(
        "introspect", "--output", str(file), STUFF_MONGODB_URI=uri, STUFF_DATABASE=shop.name
    )
    assert done.returncode == 0, done.stderr
    return file


@pytest.fixture
async def client(application: Application, file: Path) -> AsyncIterator[AsyncClient]:
    async with application(collections=file) as client:
        yield client


async def test_documents_are_read_by_their_ids_as_json(client: AsyncClient) -> None:
    response = await client.get(f"/orders/{order_id(5)}")
    assert response.status_code == 200
    assert "etag" in response.headers
    assert "last-modified" not in response.headers
    assert response.json() == {
        "_id": str(order_id(5)),
        "customer": str(customer_id(5)),
        "placed": "2024-02-01T14:00:00.005Z",
        "status": "shipped",
        "total": "5.50",
        "version": 3,
        "lines": [{"sku": "A-0", "quantity": 1, "price": "1.10", "tags": ["gift"]}],
        "address": {"street": "5 Main Street", "city": "Berlin", "zip": "10115"},
        "payments": [
            {
                "at": "2024-02-01T14:00:00.000Z",
                "amount": "5.50",
                "reference": str(UUID(int=5, version=4)),
            }
        ],
        "delivered": "2024-02-06T09:00:00.000Z",
    }
    assert (await client.get("/invoices_2026/7")).json()["order"] == str(order_id(7))
    session = str(UUID(int=3, version=4))
    assert (await client.get(f"/sessions/{session}")).json()["_id"] == session
    for path in (f"/orders/{ObjectId()}", "/orders/none", "/invoices_2026/x", "/sessions/1"):
        assert_problem(await client.get(path), 404, "document-not-found")


async def test_every_document_is_on_one_page(client: AsyncClient) -> None:
    found: list[str] = []
    parameters = {"sort": "-placed", "limit": "7"}
    while True:
        page = (await client.get("/orders", params=parameters)).json()
        found += [item["_id"] for item in page["items"]]
        if page["next"] is None:
            break
        parameters["after"] = page["next"]
    assert found == [str(order_id(number)) for number in range(ORDERS - 1, -1, -1)]


async def test_filters_take_the_strings_of_dates_and_ids(client: AsyncClient) -> None:
    query = {
        "customer": str(customer_id(3)),
        "placed": {"$gte": "2024-02-02T00:00:00Z", "$lt": "2024-02-04T00:00:00Z"},
    }
    page = (await client.get("/orders", params={"filter": json.dumps(query)})).json()
    assert [item["_id"] for item in page["items"]] == [str(order_id(n)) for n in (23, 43)]


async def test_writes_are_what_the_validator_of_the_other_program_demands(
    client: AsyncClient, shop: Shop
) -> None:
    """It refuses any other type, and any field that it does not know, such as `_stuff`."""
    created = await client.post("/orders", json=NEW)
    assert created.status_code == 201, created.text
    id = ObjectId(created.json()["_id"])
    [stored] = shop.orders.find({"_id": id})
    assert [*stored] == ["_id", *NEW]
    assert stored["customer"] == customer_id(1)
    assert stored["placed"] == datetime(2026, 12, 1, 8, 30)  # noqa: DTZ001
    assert stored["lines"][0]["price"] == Decimal128("5.00")
    path = f"/orders/{id}"
    shown = await client.get(path)
    assert shown.json()["placed"] == "2026-12-01T08:30:00.000Z"
    tag = {"If-Match": shown.headers["etag"]}
    paid = {"at": "2026-12-02T00:00:00Z", "amount": "12.50", "reference": str(UUID(int=1))}
    patch = {"status": "paid", "payments": [paid]}
    patched = await client.patch(path, json=patch, headers=MERGE | tag)
    assert patched.status_code == 200, patched.text
    assert_problem(
        await client.patch(path, json=patch, headers=MERGE | tag), 412, "precondition-failed"
    )
    [payment] = (shop.orders.find_one({"_id": id}) or {})["payments"]
    assert payment == {
        "at": datetime(2026, 12, 2),  # noqa: DTZ001
        "amount": Decimal128("12.50"),
        "reference": Binary(UUID(int=1).bytes, 4),
    }
    tag = {"If-Match": patched.headers["etag"]}
    assert (await client.put(path, json=NEW, headers=tag)).status_code == 200
    assert shop.orders.find_one({"_id": id}) == stored
    assert (await client.delete(path)).status_code == 204
    assert shop.orders.find_one({"_id": id}) is None


async def test_what_is_read_can_be_written_again_and_changes_nothing(
    client: AsyncClient, shop: Shop
) -> None:
    for name in ("orders", "customers", "sessions", "invoices_2026"):
        collection = shop["Invoices.2026" if name == "invoices_2026" else name]
        before = [bson.encode(each) for each in collection.find().sort("_id")]
        items = (await client.get(f"/{name}", params={"limit": 1000})).json()["items"]
        assert len(items) == len(before)
        for item in items:
            id = item.pop("_id")
            written = await client.put(f"/{name}/{id}", json=item)
            assert written.status_code == 200, written.text
        assert [bson.encode(each) for each in collection.find().sort("_id")] == before


async def test_what_does_not_fit_is_refused_with_its_place(client: AsyncClient, shop: Shop) -> None:
    path = f"/orders/{order_id(1)}"
    before = shop.orders.find_one({"_id": order_id(1)})
    unfit = NEW | {"placed": "yesterday", "lines": [{"sku": "A-1", "quantity": "2"}]}
    problem = assert_problem(await client.put(path, json=unfit), 422, "schema-violation")
    pointers = {error["pointer"] for error in problem["errors"]}
    assert pointers == {"/placed", "/lines/0", "/lines/0/quantity"}
    # The file says less than the validator, which has the last word.
    for change in ({"status": "lost"}, {"note": "new"}, {"total": True}):
        refused = await client.put(path, json=NEW | change)
        assert_problem(refused, 422, "document-rejected")
    taken = {"email": "customer1@example.org"}
    conflict = await client.patch(f"/customers/{customer_id(2)}", json=taken, headers=MERGE)
    assert_problem(conflict, 409, "duplicate-key")
    assert shop.orders.find_one({"_id": order_id(1)}) == before


async def test_ids_have_the_type_of_those_that_exist(client: AsyncClient, shop: Shop) -> None:
    invoice = {"order": str(order_id(1)), "paid": True}
    assert (await client.put("/invoices_2026/1000", json=invoice)).status_code == 201
    invoices = shop.get_collection("Invoices.2026")
    assert invoices.find_one({"_id": 1000}) == {"_id": 1000, "order": order_id(1), "paid": True}
    session = {"expires": "2096-01-01T00:00:00Z"}
    created = await client.post("/sessions", json=session)
    id = Binary(UUID(created.json()["_id"]).bytes, 4)
    found = shop.sessions.find_one({"_id": id}) or {}
    assert found["expires"] == datetime(2096, 1, 1)  # noqa: DTZ001
    assert_problem(await client.put("/orders/new", json=NEW), 422, "invalid-id")


async def test_the_feed_tells_what_the_other_program_writes(file: Path, settings: Settings) -> None:
    assert settings.mongodb_uri is not None
    declared = Settings.model_validate(settings.model_dump() | {"collections": file})
    async with listen(declared) as url, connect(url) as client, follow(client, "/orders") as events:
        with MongoClient[dict[str, Any]](settings.mongodb_uri.get_secret_value()) as mongo:
            added = order(FIRST_NEW)
            mongo[settings.database].orders.insert_one(added)
        event = await events.next()
    assert event.kind == "put"
    assert event.data["_id"] == str(added["_id"])
    assert event.data["document"]["customer"] == str(added["customer"])
    placed = event.data["document"]["placed"]
    assert datetime.fromisoformat(placed) == added["placed"].astimezone(UTC)


async def test_both_programs_write_and_neither_loses_a_change(
    client: AsyncClient, shop: Shop
) -> None:
    path = f"/customers/{customer_id(0)}"
    with shopkeeping(shop) as program:
        for number in range(30):
            await asyncio.to_thread(program.until_rounds, number + 1)
            patched = await client.patch(path, json={"name": f"Ada {number}"}, headers=MERGE)
            assert patched.status_code == 200
            added = await client.get(f"/orders/{order_id(FIRST_NEW + program.rounds - 1)}")
            assert added.status_code == 200
    customer = (await client.get(path)).json()
    assert customer["name"] == "Ada 29"
    assert customer["visits"] == {"2026-12": program.rounds}
    counted = (await client.get("/orders?count=true&limit=1")).json()
    assert counted["total"] == ORDERS + program.rounds
    async with client.stream(
        "GET", "/orders", headers={"Accept": "application/x-ndjson"}
    ) as response:
        lines = [json.loads(line) async for line in response.aiter_lines()]
    assert len(lines) == ORDERS + program.rounds
    for line in lines:
        assert datetime.fromisoformat(line["placed"]).utcoffset() is not None
    assert not any("_stuff" in found for found in shop.orders.find())


async def test_the_openapi_document_has_the_fields(client: AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    schemas = document["components"]["schemas"]
    assert schemas["Order"]["properties"]["placed"] == {"type": "string", "format": "date-time"}
    assert schemas["OrderLinesItem"]["required"] == ["sku", "quantity", "price"]
    assert document["paths"]["/orders/{id}"]["get"]["operationId"] == "get_order"
