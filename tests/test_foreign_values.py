"""Values of types that JSON lacks: how they are written, and what patches make of them."""

import struct
from datetime import UTC, datetime
from typing import Any

import bson
import orjson
import pytest
from bson import Binary, Code, Decimal128, ObjectId, Regex, Timestamp, json_util
from httpx import AsyncClient
from hypothesis import given
from hypothesis import strategies as st
from pymongo.collection import Collection

from service.documents import codec
from service.web.responses import LARGE

Documents = Collection[dict[str, Any]]

JSON_PATCH = {"Content-Type": "application/json-patch+json"}
MERGE_PATCH = {"Content-Type": "application/merge-patch+json"}


def written(value: Any) -> Any:
    return orjson.loads(codec.dumps(bson.encode({"value": value})))["value"]


def as_the_driver_writes(value: Any) -> Any:
    [decoded] = bson.decode(bson.encode({"value": value})).values()
    return orjson.loads(json_util.dumps(decoded, json_options=json_util.RELAXED_JSON_OPTIONS))


@given(st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)))  # noqa: DTZ001
def test_dates_are_written_as_the_driver_does(value: datetime) -> None:
    assert written(value) == as_the_driver_writes(value.replace(tzinfo=UTC))


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_decimals_are_written_as_the_driver_does(low: int, high: int, mask: int) -> None:
    usual = (high & 1 << 63) | (6176 + high % 60 - 30) << 49
    for value in (struct.pack("<QQ", low, high), struct.pack("<QQ", low & mask, usual)):
        decimal = Decimal128.from_bid(value)
        assert written(decimal) == as_the_driver_writes(decimal)


def test_object_ids_are_written_as_the_driver_does() -> None:
    value = ObjectId()
    assert written(value) == {"$oid": str(value)} == as_the_driver_writes(value)


@pytest.mark.parametrize(
    ("value", "patch"),
    [
        (Regex("a", "i"), {"$regularExpression": {"pattern": "b"}}),
        (Binary(b"ab", 5), {"$binary": {"base64": None}}),
        (Timestamp(1, 2), {"$timestamp": {"t": True}}),
    ],
    ids=["regular expression", "binary", "timestamp"],
)
async def test_a_patch_inside_a_value_is_not_lost(
    client: AsyncClient, collection: Documents, value: Any, patch: dict[str, Any]
) -> None:
    collection.insert_one({"_id": "a", "value": value, "other": value})
    shown = (await client.get("/stuff/a")).json()
    body = orjson.dumps({"value": patch})
    patched = (await client.patch("/stuff/a", content=body, headers=MERGE_PATCH)).json()
    [(name, members)] = patch.items()
    expected = {name: {**shown["value"][name], **members}}
    expected[name] = {key: member for key, member in expected[name].items() if member is not None}
    assert patched["value"] == expected
    assert patched["other"] == shown["other"]
    [kept] = collection.find({}, {"_id": 0, "other": 1})
    assert kept == {"other": value}


async def test_empty_values_are_what_they_are_shown_as(
    client: AsyncClient, collection: Documents
) -> None:
    collection.insert_one({"_id": "a", "value": [Binary(b"", 5), b"", Code(""), {}, [], "", 0.0]})
    shown = (await client.get("/stuff/a")).json()["value"]
    patch = orjson.dumps([{"op": "test", "path": "/value", "value": shown}])
    tested = await client.patch("/stuff/a", content=patch, headers=JSON_PATCH)
    assert tested.status_code == 200


async def test_large_documents_are_written_as_small_ones_are(
    client: AsyncClient, collection: Documents
) -> None:
    reference = {"$ref": "x", "$id": 1, "more": [{"$ref": 1}]}
    part = {"when": datetime(2026, 1, 1), "refers": reference}  # noqa: DTZ001
    collection.insert_one({"_id": "small", "parts": [part]})
    collection.insert_one({"_id": "large", "parts": [part] * (LARGE // 50)})
    [shown] = (await client.get("/stuff/small")).json()["parts"]
    assert shown == {"when": {"$date": "2026-01-01T00:00:00Z"}, "refers": reference}
    for media_type in ("application/json", "application/ejson"):
        headers = {"Accept": media_type}
        small = (await client.get("/stuff/small", headers=headers)).json()["parts"]
        large = (await client.get("/stuff/large", headers=headers)).json()["parts"]
        assert large == small * (LARGE // 50)
        page = (await client.get("/stuff?sort=-_id", headers=headers)).json()["items"]
        assert [item["parts"] for item in page] == [small, large]
    lines = await client.get("/stuff?sort=-_id", headers={"Accept": "application/x-ndjson"})
    assert [orjson.loads(line)["_id"] for line in lines.text.splitlines()] == ["small", "large"]
    patched = await client.patch("/stuff/large", content=b"{}", headers=MERGE_PATCH)
    assert patched.json()["parts"] == [shown] * (LARGE // 50)
