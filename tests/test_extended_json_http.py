"""Documents in Extended JSON over HTTP: every BSON type, ids of any type, and conditions."""

import json

import pytest
from httpx import AsyncClient, Response

from tests.support.bson_values import VALUES
from tests.support.extended import EJSON, NDEJSON, Documents, load, raw
from tests.support.problems import assert_problem
from tests.support.requests import JSON, NDJSON

ACCEPT_EJSON = {"Accept": "application/ejson"}
FIELDS = {
    # The embedded engine stores no date beyond the year 9999.
    name or "empty": value
    for name, value in VALUES.items()
    if name not in ("reference", "far date")
}


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


async def test_a_document_with_a_nan_is_replaced_if_it_is_unchanged(client: AsyncClient) -> None:
    """The embedded engine takes it for unequal to itself."""
    content = b'{"n": {"$numberDouble": "NaN"}}'
    tag = (await client.put("/stuff/a", content=content, headers=EJSON)).headers["etag"]
    for expected in (200, 412):
        response = await client.put("/stuff/a", json={"n": 1}, headers={"If-Match": tag})
        assert response.status_code == expected


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
