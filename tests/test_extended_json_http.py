"""Documents in Extended JSON over HTTP: every BSON type, ids of any type, and conditions."""

import asyncio
import json
from typing import Any

import bson
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
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from httpx import AsyncClient, Response
from pymongo.collection import Collection

from service.documents import extended_json, layout
from service.documents.ids import Key, key_of
from tests.support.bson_values import VALUES
from tests.support.problems import assert_problem
from tests.support.requests import JSON, NDJSON

Documents = Collection[dict[str, Any]]
EJSON = {"Content-Type": "application/ejson"}
ACCEPT_EJSON = {"Accept": "application/ejson"}
NDEJSON = {"Content-Type": "application/x-ndejson"}
ACCEPT_LINES = {"Accept": "application/x-ndejson"}
FIELDS = {
    # The embedded engine stores no date beyond the year 9999.
    name or "empty": value
    for name, value in VALUES.items()
    if name not in ("reference", "far date")
}
IDS: list[Any] = [
    "text", "", "a\nb", "x" * 2000, 5, Int64(6), 7.5, -0.5, Int64(2**60), Decimal128("8.50"),
    ObjectId("65f000000000000000000000"), DatetimeMS(1), DatetimeMS(-62135596800000), True, None,
    b"\0\1", Binary(b"0123456789abcdef", 4), {"b": 1, "a": [Int64(2), {"$x": 1}]}, Timestamp(1, 2),
    MinKey(), MaxKey(),
]  # fmt: skip


def raw(collection: Documents) -> list[bytes]:
    """The documents as they are stored, without `_stuff`, by their ids."""
    found = collection.with_options(CodecOptions(document_class=RawBSONDocument)).find()
    return sorted(layout.with_elements(bytes(document.raw), None) for document in found)


def line(document: dict[str, Any]) -> bytes:
    return extended_json.dumps(bson.encode(document))


async def load(client: AsyncClient, *lines: bytes) -> dict[str, Any]:
    response = await client.post("/stuff", content=b"\n".join(lines), headers=NDEJSON)
    assert response.status_code == 200, response.text
    report: dict[str, Any] = response.json()
    return report


async def test_a_document_of_every_type_is_read_and_written_without_loss(
    client: AsyncClient, collection: Documents
) -> None:
    collection.insert_one({"_id": "a", **FIELDS})
    [before] = raw(collection)
    read = await client.get("/stuff/a", headers=ACCEPT_EJSON)
    assert read.headers["content-type"] == "application/ejson"
    assert read.headers["vary"] == "Accept"
    assert read.json()["int32"] == {"$numberInt": "1"}
    assert read.json()["int64"] == {"$numberLong": "1"}
    written = await client.put("/stuff/a", content=read.content, headers=EJSON)
    assert written.status_code == 200
    assert raw(collection) == [before]
    created = await client.post(
        "/stuff", content=read.content.replace(b'"_id":"a",', b""), headers=EJSON
    )
    assert created.status_code == 201
    assert created.headers["etag"] == written.headers["etag"]


async def test_json_remains_the_default(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"n": 1})
    for accept in ("*/*", "application/*", "application/json, application/ejson", "text/html",
                   "application/ejson;q=0.5, application/json"):  # fmt: skip
        for path in ("/stuff/a", "/stuff"):
            response = await client.get(path, headers={"Accept": accept})
            if response.status_code == 200:
                assert response.headers["content-type"] == "application/json"
    page = await client.get("/stuff", headers=ACCEPT_EJSON)
    assert page.headers["content-type"] == "application/ejson"
    assert page.json()["items"] == [{"_id": "a", "n": {"$numberInt": "1"}}]
    both = {"Accept": "application/ejson, text/event-stream;q=0.5"}
    for path in ("/stuff/a", "/stuff"):
        response = await client.get(path, headers=both)
        assert response.headers["content-type"] == "application/ejson"
    head = await client.head("/stuff/a", headers=ACCEPT_EJSON)
    assert head.headers["content-type"] == "application/ejson"


async def test_what_json_stored_is_not_changed_by_reading_and_writing_extended_json(
    client: AsyncClient, collection: Documents
) -> None:
    fields = {"schema": {"$ref": "#/x"}, "looks": {"$date": "x"}, "n": [1, 1.0, 2**40]}
    stored = await client.put("/stuff/a", json=fields)
    before = raw(collection)
    read = await client.get("/stuff/a", headers=ACCEPT_EJSON)
    assert list(read.json()) == ["$bson"]
    written = await client.put("/stuff/a", content=read.content, headers=EJSON)
    assert written.headers["etag"] == stored.headers["etag"]
    assert raw(collection) == before
    wrong = await client.put("/stuff/b", content=read.content, headers=EJSON)
    assert_problem(wrong, 422, "invalid-document", pointer="/_id")
    assert (await load(client, read.content))["replaced"] == 1
    assert raw(collection) == before


async def test_representations_have_entity_tags_of_their_own_and_conditions_take_all(
    client: AsyncClient,
) -> None:
    tag = (await client.put("/stuff/a", json={"n": 1})).headers["etag"]
    extended = (await client.get("/stuff/a", headers=ACCEPT_EJSON)).headers["etag"]
    assert extended == f'{tag[:-1]}.ejson"'
    dated = (await client.get("/stuff/a?meta=true", headers=ACCEPT_EJSON)).headers["etag"]
    plain_dated = (await client.get("/stuff/a?meta=true")).headers["etag"]
    assert dated == f'{plain_dated[:-1]}.ejson"'

    async def read(if_none_match: str, **headers: str) -> int:
        sent = headers | {"If-None-Match": if_none_match}
        return (await client.get("/stuff/a", headers=sent)).status_code

    assert await read(extended, **ACCEPT_EJSON) == 304
    assert await read(dated, **ACCEPT_EJSON) == 304
    assert await read(tag, **ACCEPT_EJSON) == 200  # the client has the JSON only
    assert await read(extended) == 200
    assert await read(tag) == 304
    for each in (extended, dated):
        content = b'{"n": {"$numberInt": "1"}}'
        sent = EJSON | {"If-Match": each}
        assert (await client.put("/stuff/a", content=content, headers=sent)).status_code == (
            200 if each == extended else 412  # the time has changed
        )
        refused = await client.put(
            "/stuff/a", content=content, headers=EJSON | {"If-None-Match": extended}
        )
        assert refused.status_code == 412
    sent = EJSON | {"If-Match": f"{'0' * 32}.ejson".join('""')}
    assert (await client.put("/stuff/a", content=b"{}", headers=sent)).status_code == 412


async def test_metadata_and_views_are_shown_and_can_be_sent_back(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"n": 1, "m": {"x": 2, "y": 3}})
    read = await client.get("/stuff/a?meta=true", headers=ACCEPT_EJSON)
    assert list(read.json()) == ["_id", "n", "m", "_stuff"]
    written = await client.put("/stuff/a", content=read.content, headers=EJSON)
    assert written.status_code == 200
    assert (await load(client, read.content))["replaced"] == 1
    view = await client.get("/stuff/a?fields=m.x", headers=ACCEPT_EJSON)
    assert view.json() == {"_id": "a", "m": {"x": {"$numberInt": "2"}}}
    page = await client.get("/stuff?fields=m.x&sort=n&meta=true", headers=ACCEPT_EJSON)
    [item] = page.json()["items"]
    assert list(item) == ["_id", "m", "_stuff"]


@pytest.mark.parametrize(
    ("body", "status", "slug", "pointer"),
    [
        (b'{"a": {"$oid": "zz"}}', 422, "invalid-document", "/a/$oid"),
        (b'{"a": {"$date": 5}}', 422, "invalid-document", "/a/$date"),
        (b'{"$oid": "65f000000000000000000000"}', 422, "invalid-document", "/$oid"),
        (b'{"a": 1, "a": 1}', 422, "invalid-document", "/a"),
        (b'{"_id": {"$numberInt": "5"}}', 422, "invalid-document", "/_id"),
        (b'{"_stuff": {"$numberInt": "5"}}', 422, "invalid-document", "/_stuff"),
        (b"[]", 422, "invalid-document", ""),
        (b"{", 400, "malformed-json", None),
        (b'{"$bson": {"$binary": {"base64": "BQAAAA==", "subType": "00"}}}', 422,
         "invalid-document", "/$bson"),
    ],
)  # fmt: skip
async def test_what_cannot_be_stored_is_refused(
    client: AsyncClient, body: bytes, status: int, slug: str, pointer: str | None
) -> None:
    for response in (
        await client.put("/stuff/a", content=body, headers=EJSON),
        await client.post("/stuff", content=body, headers=EJSON),
    ):
        expected = {} if pointer is None else {"pointer": pointer}
        assert_problem(response, status, slug, **expected)


async def test_the_id_of_the_path_may_be_repeated(client: AsyncClient) -> None:
    body = b'{"_id": "5", "n": {"$numberLong": "1"}}'
    assert (await client.put("/stuff/5", content=body, headers=EJSON)).status_code == 201
    assert_problem(
        await client.post("/stuff", content=body, headers=EJSON), 422, "invalid-document"
    )


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


async def test_other_media_types_are_refused_and_these_are_named(client: AsyncClient) -> None:
    def accept(response: Response) -> str:
        assert_problem(response, 415, "unsupported-media-type")
        return response.headers["accept"]

    headers = {"Content-Type": "text/csv"}
    put = await client.put("/stuff/a", content=b"{}", headers=headers)
    assert accept(put) == "application/json, application/ejson"
    put = await client.put("/stuff/a", content=b"{}", headers=NDEJSON)
    assert accept(put) == "application/json, application/ejson"
    post = await client.post("/stuff", content=b"{}", headers=headers)
    assert accept(post) == (
        "application/json, application/ejson, application/x-ndjson, application/x-ndejson"
    )
    for sent in (JSON, NDJSON):
        assert "ejson" not in json.dumps(sent)
    latin = {"Content-Type": "application/ejson; charset=latin-1"}
    assert_problem(
        await client.put("/stuff/a", content=b"{}", headers=latin), 415, "unsupported-media-type"
    )
