"""What a client may prefer to be answered: views, metadata, `Prefer`, `OPTIONS`."""

from datetime import datetime
from typing import Any

import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from tests.support.problems import assert_problem

DOCUMENT = {"name": "Ada", "address": {"city": "London", "street": "x"}, "tags": [{"t": 1, "u": 2}]}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("name", {"name": "Ada"}),
        ("address.city,name", {"name": "Ada", "address": {"city": "London"}}),
        ("address,address.city", {"address": {"city": "London", "street": "x"}}),
        ("tags.u", {"tags": [{"u": 2}]}),
        ("nothing", {}),
        ("_id", {}),
    ],
)
async def test_fields_picks_fields(client: AsyncClient, fields: str, expected: Any) -> None:
    whole = await client.put("/stuff/a", json=DOCUMENT)
    view = await client.get("/stuff/a", params={"fields": fields})
    assert view.status_code == 200
    assert view.json() == {"_id": "a", **expected}
    tag = view.headers["etag"]
    assert tag != whole.headers["etag"]
    again = await client.get("/stuff/a", params={"fields": fields}, headers={"if-none-match": tag})
    assert again.status_code == 304
    head = await client.head("/stuff/a", params={"fields": fields})
    assert head.headers["etag"] == tag
    assert head.headers["content-length"] == view.headers["content-length"]


async def test_a_view_of_all_fields_has_an_entity_tag_of_its_own(
    client: AsyncClient,
) -> None:
    whole = await client.put("/stuff/a", json={"x": 1})
    view = await client.get("/stuff/a?fields=x")
    assert view.json() == (await client.get("/stuff/a")).json()
    assert view.headers["etag"] != whole.headers["etag"]


MALFORMED = {
    "empty": "",
    "two empty names": ",",
    "an empty name": "a,",
    "an empty step": "a..b",
    "an empty first step": ".a",
    "a dollar": "$a",
    "a dollar below": "a.$b",
    "the metadata": "_stuff",
    "a part of the metadata": "_stuff.etag",
    "a part of the id": "_id.a",
    "a NUL": "a\0",
    "too deep": ".".join("a" * 101),
    "too many": ",".join(f"f{number}" for number in range(101)),
}


@pytest.mark.parametrize("fields", MALFORMED.values(), ids=MALFORMED)
async def test_malformed_fields_are_422(client: AsyncClient, fields: str) -> None:
    await client.put("/stuff/a", json={})
    response = await client.get("/stuff/a", params={"fields": fields})
    assert_problem(response, 422, "invalid-parameter", parameter="fields")


async def test_the_deepest_and_the_most_fields_can_be_picked(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={})
    for fields in (".".join("a" * 100), ",".join(f"f{number}" for number in range(100))):
        response = await client.get("/stuff/a", params={"fields": fields})
        assert (response.status_code, response.json()) == (200, {"_id": "a"})


async def test_a_view_of_nothing_is_404(client: AsyncClient) -> None:
    assert_problem(await client.get("/stuff/a?fields=x"), 404, "document-not-found")


async def test_meta_shows_the_metadata_and_can_be_written_back(client: AsyncClient) -> None:
    stored = await client.put("/stuff/a", json={"x": 1})
    read = await client.get("/stuff/a?meta=true")
    document = read.json()
    assert list(document) == ["_id", "x", "_stuff"]
    assert f'"{document["_stuff"]["etag"]}"' == stored.headers["etag"]
    assert datetime.fromisoformat(document["_stuff"]["updated_at"]).tzinfo is not None
    written = await client.put("/stuff/a", content=read.content)
    assert written.headers["etag"] == stored.headers["etag"]
    view = (await client.get("/stuff/a?meta=true&fields=y")).json()
    assert view["_stuff"]["etag"] == document["_stuff"]["etag"]
    assert "_stuff" not in (await client.get("/stuff/a?meta=false")).json()
    refused = await client.get("/stuff/a?meta=perhaps")
    assert_problem(refused, 422, "invalid-parameter", parameter="meta")


async def test_meta_of_another_programs_document_has_no_time(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    collection.insert_one({"_id": "a", "x": 1})
    read = await client.get("/stuff/a?meta=true")
    tag = (await client.get("/stuff/a")).headers["etag"].strip('"')
    assert read.json() == {"_id": "a", "x": 1, "_stuff": {"etag": tag}}
    assert (await client.get("/stuff/a?meta=true&fields=x")).json() == {"_id": "a", "x": 1}
    assert (await client.put("/stuff/a", content=read.content)).status_code == 200


async def test_put_answers_the_document_if_preferred(client: AsyncClient) -> None:
    headers = {"prefer": "respond-async, Return=representation; foo"}
    for status in (201, 200):
        written = await client.put("/stuff/a%2Fb", json={"x": 1}, headers=headers)
        assert written.status_code == status
        assert written.json() == {"_id": "a/b", "x": 1}
        assert written.headers["preference-applied"] == "return=representation"
        assert written.headers["content-location"] == "/stuff/a%2Fb"
        assert written.headers["vary"] == "Prefer"
    minimal = await client.put("/stuff/a", json={}, headers={"prefer": 'return="minimal"'})
    assert (minimal.status_code, minimal.content) == (201, b"")
    assert minimal.headers["preference-applied"] == "return=minimal"


@pytest.mark.parametrize("prefer", ["", "return", "return=everything", "wait=1"])
async def test_other_preferences_are_ignored(client: AsyncClient, prefer: str) -> None:
    written = await client.put("/stuff/a", json={}, headers={"prefer": prefer})
    assert (written.status_code, written.content) == (201, b"")
    assert "preference-applied" not in written.headers


async def test_post_answers_the_document_if_preferred(client: AsyncClient) -> None:
    headers = {"prefer": "return=representation"}
    created = await client.post("/stuff", json={"x": 1}, headers=headers)
    id = created.json()["_id"]
    assert created.json() == {"_id": id, "x": 1}
    assert created.headers["content-location"] == created.headers["location"] == f"/stuff/{id}"
    minimal = await client.post("/stuff", json={"x": 1}, headers={"prefer": "return=minimal"})
    assert minimal.json().keys() == {"_id"}


async def test_patch_answers_the_document_unless_less_is_preferred(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"x": 1})
    headers = {"content-type": "application/merge-patch+json"}
    patched = await client.patch("/stuff/a", content='{"y": 2}', headers=headers)
    assert (patched.status_code, patched.json()) == (200, {"_id": "a", "x": 1, "y": 2})
    headers["prefer"] = "return=minimal"
    patched = await client.patch("/stuff/a", content='{"y": 3}', headers=headers)
    assert (patched.status_code, patched.content) == (204, b"")
    assert patched.headers["etag"] == (await client.get("/stuff/a")).headers["etag"]


async def test_options_name_methods_and_patch_formats(client: AsyncClient) -> None:
    document = await client.options("/stuff/a")
    assert document.status_code == 204
    assert document.headers["allow"] == "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
    assert "application/json-patch+json" in document.headers["accept-patch"]
    collection = await client.options("/stuff")
    assert collection.status_code == 204
    assert collection.headers["allow"] == "GET, HEAD, POST, DELETE, OPTIONS"
