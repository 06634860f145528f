"""Streams and loads in Extended JSON: ids of any type, and lines that cannot be stored."""

import asyncio
from typing import Any

import pytest
from bson import (
    Binary,
    Code,
    DatetimeMS,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)
from httpx import AsyncClient

from service.documents import extended_json, layout
from service.documents.ids import Key, key_of
from tests.support.extended import EJSON, Documents, line, load, raw

ACCEPT_LINES = {"Accept": "application/x-ndejson"}
IDS: list[Any] = [
    "text", "", "a\nb", "x" * 2000, 5, Int64(6), 7.5, -0.5, Int64(2**60), Decimal128("8.50"),
    ObjectId("65f000000000000000000000"), DatetimeMS(1), DatetimeMS(-62135596800000), True, None,
    b"\0\1", Binary(b"0123456789abcdef", 4), {"b": 1, "a": [Int64(2), {"$x": 1}]}, Timestamp(1, 2),
    MinKey(), MaxKey(),
]  # fmt: skip


async def test_ids_of_any_type_are_streamed_and_loaded_without_loss(
    client: AsyncClient, collection: Documents
) -> None:
    collection.insert_many([{"_id": id, "n": number} for number, id in enumerate(IDS)])
    before = raw(collection)
    stream = await client.get("/stuff", headers=ACCEPT_LINES)
    assert stream.headers["content-type"] == "application/x-ndejson"
    lines = stream.content.splitlines()
    assert len(lines) == len(IDS)
    assert (await load(client, *lines))["replaced"] == len(IDS)
    assert raw(collection) == before
    collection.delete_many({})
    assert (await load(client, *lines))["created"] == len(IDS)
    assert raw(collection) == before
    again = await client.get("/stuff", headers=ACCEPT_LINES)
    assert again.content == stream.content


async def test_an_id_is_never_taken_for_a_query(client: AsyncClient, collection: Documents) -> None:
    """Neither a pattern nor an operator in an `_id` finds another document."""
    await client.put("/stuff/victim", json={"safe": True})
    odd = [{"$gt": ""}, {"$ne": 1}, {"$eq": "victim"}, {"x": 1, "$exists": True}, Regex(".*")]
    for id in [*odd, ["victim"], [], {"$ref": "c", "$id": 1}, {"a": {"$ref": "c", "$id": 1}}]:
        report = await load(client, line({"_id": id}), line({"_id": "other"}))
        [error] = report["errors"]
        assert (error["status"], error["pointer"]) == (422, "/_id")
    assert (await client.get("/stuff/victim")).json() == {"_id": "victim", "safe": True}
    assert collection.count_documents({}) == 2


async def test_of_lines_with_the_same_id_the_last_one_is_stored(
    client: AsyncClient, collection: Documents
) -> None:
    for id in (ObjectId("65f000000000000000000000"), 5, DatetimeMS(1), {"a": [1]}):
        report = await load(client, *(line({"_id": id, "n": n}) for n in range(4)))
        assert (report["created"], report["replaced"], report["failed"]) == (1, 3, 0)
    assert collection.distinct("n") == [3]


def test_ids_that_are_equal_for_the_database_have_the_same_key() -> None:
    def key(id: Any) -> Key:
        return key_of(layout.id_element(id))

    for first, *others in (
        [1, 1.0, Int64(1), Decimal128("1.00")],
        [{"a": 1}, {"a": 1.0}, {"a": Decimal128("1")}],
        [float("nan"), Decimal128("NaN"), -float("nan")],
        [0.0, -0.0, 0, Decimal128("-0")],
        [float("inf"), Decimal128("Infinity")],
    ):
        assert {key(other) for other in others} == {key(first)}
    different = ["1", 1, True, None, b"1", ObjectId("0" * 24), "0" * 24, {"a": 1}, {"a": "1"}, {},
                 DatetimeMS(1), Timestamp(0, 1), Binary(b"1", 5), MinKey(), MaxKey(), 0.1,
                 Decimal128("0.1"), Code("1")]  # fmt: skip
    assert len({key(id) for id in different}) == len(different)
    assert key("text") == "text"


async def test_a_date_that_an_engine_cannot_store_fails_alone(client: AsyncClient) -> None:
    far = DatetimeMS(10**15)
    lines = [line({"_id": n, "at": far if n in (3, 700) else n}) for n in range(1200)]
    report = await load(client, *lines, line({"_id": far}))
    failed = [(error["line"], error["status"]) for error in report["errors"]]
    assert failed in ([], [(4, 422), (701, 422), (1201, 422)])
    assert report["created"] == 1201 - len(failed)
    body = b'{"at": {"$date": {"$numberLong": "1000000000000000"}}}'
    puts = [client.put("/stuff/far", content=body, headers=EJSON)]
    puts += [client.put(f"/stuff/{n}", json={"n": n}) for n in range(20)]
    far_put, *others = await asyncio.gather(*puts)
    assert far_put.status_code == (422 if failed else 201)
    assert {put.status_code for put in others} == {201}


@pytest.mark.parametrize(
    ("sent", "slug", "pointer"),
    [
        (b'{"a": {"$oid": "zz"}}', "invalid-document", "/a/$oid"),
        (b'{"_id": [1]}', "invalid-document", "/_id"),
        (b'{"_id": {"a": "%s"}}' % (b"x" * 70_000), "invalid-document", "/_id"),
        (b'{"_id": {"$oid": 5}}', "invalid-document", "/_id/$oid"),
        (b'{"$a": 1}', "invalid-document", "/$a"),
        (b"nonsense", "malformed-json", None),
    ],
)
async def test_a_line_that_cannot_be_stored_affects_no_other(
    client: AsyncClient, sent: bytes, slug: str, pointer: str | None
) -> None:
    report = await load(client, b'{"_id": 1}', sent, b'{"_id": {"$numberInt": "2"}}', b'{"n": 1}')
    assert (report["created"], report["failed"]) == (3, 1)
    [error] = report["errors"]
    assert (error["line"], error["type"]) == (2, f"/problems/{slug}")
    assert error.get("pointer") == pointer


async def test_what_only_another_program_can_store_fails_alone(client: AsyncClient) -> None:
    odd = [
        layout.whole(b"\x10_id\0\1\0\0\0\x02k\0\x03\0\0\0a\xff\0"),
        layout.whole(b"\x10_id\0\2\0\0\0\x0ek\0\x02\0\0\0s\0"),
        layout.whole(b"\x02_id\0\x02\0\0\0\xff\0"),
    ]
    report = await load(client, line({"_id": 1}), *map(extended_json.dumps, odd), line({"_id": 2}))
    assert (report["created"], report["failed"]) == (2, 3)
    assert [error["pointer"] for error in report["errors"]] == ["/$bson"] * 3
