"""`/stuff/{id}` and `POST /stuff`: the contract of the methods."""

import asyncio
from urllib.parse import quote
from uuid import UUID

import pytest
from httpx import AsyncClient

IDS = [
    "a/b",
    "/a",
    "a//b/",
    "a b",
    "100%",
    "%2F",
    "ü",
    "😀",
    "a?b#c",
    "..%2f",
    "a+b",
    "x" * 512,
    "\ufffd",
]


async def test_a_document_is_created_then_found_then_replaced(client: AsyncClient) -> None:
    missing = await client.get("/stuff/ada")
    assert missing.status_code == 404

    created = await client.put("/stuff/ada", json={"name": "Ada"})
    assert created.status_code == 201
    assert created.content == b""
    assert created.headers["location"] == "/stuff/ada"

    found = await client.get("/stuff/ada")
    assert found.status_code == 200
    assert found.headers["content-type"] == "application/json"
    assert found.json() == {"_id": "ada", "name": "Ada"}

    replaced = await client.put("/stuff/ada", json={"born": 1815})
    assert replaced.status_code == 200
    assert replaced.content == b""
    assert "location" not in replaced.headers
    assert (await client.get("/stuff/ada")).json() == {"_id": "ada", "born": 1815}


async def test_head_answers_the_headers_of_get(client: AsyncClient) -> None:
    await client.put("/stuff/ada", json={"name": "Ada"})
    get, head = await client.get("/stuff/ada"), await client.head("/stuff/ada")
    assert head.status_code == 200
    assert head.content == b""
    for name in ("content-length", "content-type", "etag", "last-modified"):
        assert head.headers[name] == get.headers[name]
    missing = await client.head("/stuff/nobody")
    assert (missing.status_code, missing.content) == (404, b"")


async def test_a_deleted_document_is_gone(client: AsyncClient) -> None:
    await client.put("/stuff/ada", json={})
    deleted = await client.delete("/stuff/ada")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await client.get("/stuff/ada")).status_code == 404
    assert (await client.delete("/stuff/ada")).status_code == 404


async def test_post_makes_a_uuid7_by_which_documents_sort_in_time(client: AsyncClient) -> None:
    ids = []
    for number in range(5):
        created = await client.post("/stuff", json={"number": number})
        assert created.status_code == 201
        assert created.headers["content-type"] == "application/json"
        id = created.json()["_id"]
        assert created.json() == {"_id": id}
        assert created.headers["location"] == f"/stuff/{id}"
        assert UUID(id).version == 7
        found = await client.get(created.headers["location"])
        assert found.json() == {"_id": id, "number": number}
        assert found.headers["etag"] == created.headers["etag"]
        ids.append(id)
    assert ids == sorted(ids)


@pytest.mark.parametrize("id", IDS)
async def test_any_printable_id_is_one_document(client: AsyncClient, id: str) -> None:
    path = "/stuff/" + quote(id, safe="")
    created = await client.put(path, json={"id": "my own"})
    assert created.status_code == 201
    assert (await client.get(created.headers["location"])).json() == {"_id": id, "id": "my own"}
    assert (await client.get(path)).json()["_id"] == id
    assert (await client.put(path, json={"_id": id})).status_code == 200
    assert (await client.delete(path)).status_code == 204


async def test_a_slash_in_an_id_may_be_encoded_or_not(client: AsyncClient) -> None:
    await client.put("/stuff/a/b", json={"x": 1})
    assert (await client.get("/stuff/a%2Fb")).json() == {"_id": "a/b", "x": 1}


async def test_the_body_may_repeat_the_id(client: AsyncClient) -> None:
    assert (await client.put("/stuff/ada", json={"_id": "ada", "x": 1})).status_code == 201
    read = await client.get("/stuff/ada")
    assert (await client.put("/stuff/ada", content=read.content)).status_code == 200
    assert (await client.get("/stuff/ada")).json() == {"_id": "ada", "x": 1}


async def test_well_formed_metadata_in_a_body_is_ignored(client: AsyncClient) -> None:
    metadata = {"etag": "0", "updated_at": "2026-11-23T12:00:00Z"}
    await client.put("/stuff/ada", json={"x": 1, "_stuff": metadata})
    assert (await client.get("/stuff/ada")).json() == {"_id": "ada", "x": 1}


@pytest.mark.parametrize("type", ["application/json", "application/json; charset=UTF-8", None])
async def test_json_is_accepted_with_and_without_a_media_type(
    client: AsyncClient, type: str
) -> None:
    headers = {"content-type": type} if type else {}
    response = await client.put("/stuff/ada", content=b'{"x": 1}', headers=headers)
    assert response.status_code == 201


async def test_equal_content_has_equal_strong_etags(client: AsyncClient) -> None:
    tags = set()
    for id in ("a", "b"):
        for _ in range(2):
            tags.add((await client.put(f"/stuff/{id}", json={"x": 1, "y": [2]})).headers["etag"])
        tags.add((await client.get(f"/stuff/{id}")).headers["etag"])
    assert len(tags) == 1
    tag = tags.pop()
    assert tag.startswith('"')
    assert tag.endswith('"')
    assert (await client.put("/stuff/a", json={"y": [2], "x": 1})).headers["etag"] != tag


async def test_racing_puts_of_a_new_id_create_it_once(client: AsyncClient) -> None:
    for number in range(5):
        path = f"/stuff/{number}"
        answers = await asyncio.gather(
            *(client.put(path, json={"writer": writer}) for writer in range(20))
        )
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [200] * 19 + [201]


async def test_concurrent_requests_do_not_mix(client: AsyncClient) -> None:
    async def story(number: int) -> None:
        path = f"/stuff/{number}"
        assert (await client.put(path, json={"n": number})).status_code == 201
        assert (await client.get(path)).json() == {"_id": str(number), "n": number}
        assert (await client.delete(path)).status_code == 204

    await asyncio.gather(*(story(number) for number in range(50)))
