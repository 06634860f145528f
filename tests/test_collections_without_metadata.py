"""Collections whose documents belong to other programs: the service adds nothing to them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import bson
import pytest
from bson.raw_bson import RawBSONDocument
from httpx import AsyncClient
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.errors import WriteError

from service.settings import Settings
from tests.support.applications import Application
from tests.support.declaring import declare
from tests.support.patching import update
from tests.support.problems import assert_problem
from tests.support.requests import NDJSON

MERGE = {"Content-Type": "application/merge-patch+json"}
META = {"meta": "true"}

Orders = Collection[dict[str, Any]]


@pytest.fixture
def orders(mongo: MongoClient[dict[str, Any]], settings: Settings) -> Orders:
    """The collection as its own program sees it: with a validator that knows every field."""
    return mongo[settings.database].create_collection(
        "orders",
        validator={
            "$jsonSchema": {
                "properties": {"_id": {}, "n": {"bsonType": "int"}, "tags": {"bsonType": "array"}},
                "additionalProperties": False,
            }
        },
    )


@pytest.fixture
async def client(application: Application, tmp_path: Path) -> AsyncIterator[AsyncClient]:
    async with application(collections=declare(tmp_path, orders={"metadata": False})) as client:
        yield client


def stored(orders: Orders, id: str) -> bytes:
    """The document, byte by byte."""
    raw = orders.with_options(bson.CodecOptions(document_class=RawBSONDocument))
    document = raw.find_one({"_id": id})
    assert isinstance(document, RawBSONDocument)
    return bytes(document.raw)


async def test_the_database_gets_the_id_and_the_fields_in_their_order(
    client: AsyncClient, orders: Orders
) -> None:
    await client.put("/orders/a", json={"tags": ["x"], "n": 1})
    assert stored(orders, "a") == bson.encode({"_id": "a", "tags": ["x"], "n": 1})
    await client.patch("/orders/a", json={"n": 2}, headers=MERGE)
    assert stored(orders, "a") == bson.encode({"_id": "a", "tags": ["x"], "n": 2})
    tag = (await client.get("/orders/a")).headers["etag"]
    await client.put("/orders/a", json={"n": 3}, headers={"If-Match": tag})
    assert stored(orders, "a") == bson.encode({"_id": "a", "n": 3})
    await update(client, {"$inc": {"n": 1}}, "/orders/a")
    assert stored(orders, "a") == bson.encode({"_id": "a", "n": 4})
    posted = (await client.post("/orders", json={"n": 4})).json()["_id"]
    assert stored(orders, posted) == bson.encode({"_id": posted, "n": 4})
    await client.post("/orders", content=b'{"n": 5, "_id": "line"}', headers=NDJSON)
    assert stored(orders, "line") == bson.encode({"_id": "line", "n": 5})


async def test_entity_tags_are_those_of_the_content_and_there_are_no_dates(
    client: AsyncClient, orders: Orders
) -> None:
    await client.put("/stuff/a", json={"n": 1})
    expected = (await client.get("/stuff/a")).headers["etag"]
    created = await client.put("/orders/a", json={"n": 1})
    for response in (
        created,
        await client.head("/orders/a"),
        await client.get("/orders/a"),
        await client.get("/orders/a", headers={"If-None-Match": expected}),
        await client.put("/orders/a", json={"n": 1}),
        await client.patch("/orders/a", json={}, headers=MERGE),
    ):
        assert response.headers["etag"] == expected
        assert "last-modified" not in response.headers
    shown = (await client.get("/orders/a", params=META)).json()
    assert shown == {"_id": "a", "n": 1, "_stuff": {"etag": expected.strip('"')}}
    [item] = (await client.get("/orders", params=META)).json()["items"]
    assert item == shown
    viewed = await client.get("/orders/a", params=META | {"fields": "n"})
    assert viewed.json() == {"_id": "a", "n": 1}
    # What was read can be sent back.
    assert (await client.put("/orders/a", json=shown)).status_code == 200
    assert stored(orders, "a") == bson.encode({"_id": "a", "n": 1})


async def test_conditions_compare_the_content(client: AsyncClient, orders: Orders) -> None:
    tag = (await client.put("/orders/a", json={"n": 1})).headers["etag"]
    exists = await client.put("/orders/a", json={}, headers={"If-None-Match": "*"})
    assert_problem(exists, 412, "precondition-failed", etag=tag)
    orders.update_one({"_id": "a"}, {"$set": {"n": 2}})  # the other program
    for method in ("PUT", "PATCH", "DELETE"):
        headers = MERGE if method == "PATCH" else {}
        refused = await client.request(
            method, "/orders/a", json={}, headers=headers | {"If-Match": tag}
        )
        assert_problem(refused, 412, "precondition-failed")
    new = (await client.get("/orders/a")).headers["etag"]
    # A time that is not known is no reason to refuse.
    past = {"If-Unmodified-Since": "Mon, 23 Nov 2020 12:00:00 GMT"}
    assert (await client.put("/orders/a", json={"n": 2}, headers=past)).status_code == 200
    assert (await client.delete("/orders/a", headers={"If-Match": new})).status_code == 204


async def test_a_conditional_write_may_leave_the_content_as_it_is(client: AsyncClient) -> None:
    tag = (await client.put("/orders/a", json={"n": 1})).headers["etag"]
    for _ in range(2):
        again = await client.put("/orders/a", json={"n": 1}, headers={"If-Match": tag})
        assert (again.status_code, again.headers["etag"]) == (200, tag)
    patched = await client.patch("/orders/a", content=b'{"n": 1}', headers=MERGE)
    assert (patched.status_code, patched.headers["etag"]) == (200, tag)


async def test_a_conditional_write_may_change_what_the_database_does_not_keep(
    client: AsyncClient,
) -> None:
    """The embedded engine puts the `$ref` of a reference first, so that it changes nothing."""
    reference = {"$ref": "orders", "$id": 1, "n": 2}
    tag = (await client.put("/orders/a", json={"to": reference})).headers["etag"]
    turned = dict(reversed(reference.items()))
    response = await client.put("/orders/a", json={"to": turned}, headers={"If-Match": tag})
    assert response.status_code == 200


async def test_a_validator_that_knows_no_metadata_is_met(
    client: AsyncClient, orders: Orders
) -> None:
    with pytest.raises(WriteError):
        orders.insert_one({"_id": "b", "_stuff": {}})
    assert (await client.put("/orders/a", json={"n": 1})).status_code == 201
    refused = await client.put("/orders/a", json={"colour": "red"})
    assert_problem(refused, 422, "document-rejected")


async def test_metadata_that_is_there_is_hidden_and_stays_until_the_document_is_replaced(
    client: AsyncClient, mongo: MongoClient[dict[str, Any]], settings: Settings
) -> None:
    orders = mongo[settings.database]["orders"]
    orders.insert_one({"_id": "a", "n": 1, "_stuff": {"theirs": True}})
    tag = (await client.get("/orders/a")).headers["etag"]
    assert (await client.get("/orders/a")).json() == {"_id": "a", "n": 1}
    assert (await client.put("/orders/b", json={"n": 1})).headers["etag"] == tag
    await client.patch("/orders/a", json={"n": 2}, headers=MERGE)
    assert orders.find_one({"_id": "a"}) == {"_id": "a", "n": 2, "_stuff": {"theirs": True}}
    await client.put("/orders/a", json={"n": 3})
    assert orders.find_one({"_id": "a"}) == {"_id": "a", "n": 3}


async def test_the_openapi_document_promises_no_dates(client: AsyncClient) -> None:
    paths = (await client.get("/openapi.json")).json()["paths"]
    put = paths["/orders/{id}"]["put"]
    assert list(put["responses"]["201"]["headers"]) == ["ETag", "Location"]
    names = {each["name"] for each in put["parameters"]}
    assert "If-Match" in names
    assert "If-Unmodified-Since" not in names
    assert "Last-Modified" in paths["/stuff/{id}"]["put"]["responses"]["201"]["headers"]
