"""Pages: every document once and in order, whatever its types, and whatever others write."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest
from httpx import AsyncClient
from pymongo.collection import Collection

from tests.support.paging import fill, read_pages
from tests.support.problems import assert_problem

Documents = Collection[dict[str, Any]]


async def test_a_page_has_items_and_the_cursor_of_the_next_one(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "n": n} for n in range(5)))
    first = (await client.get("/stuff", params={"limit": 3})).json()
    assert first["items"] == [{"_id": f"{n}", "n": n} for n in range(3)]
    second = (await client.get("/stuff", params={"limit": 3, "after": first["next"]})).json()
    assert second == {"items": [{"_id": "3", "n": 3}, {"_id": "4", "n": 4}], "next": None}


async def test_a_page_that_holds_the_last_document_is_the_last_page(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}"} for n in range(4)))
    for limit in (2, 4):
        assert len(await read_pages(client, limit)) == 4
    assert (await client.get("/stuff", params={"limit": 4})).json()["next"] is None


async def test_an_empty_collection_has_one_empty_page(client: AsyncClient) -> None:
    assert (await client.get("/stuff")).json() == {"items": [], "next": None}


async def test_a_page_has_a_hundred_documents_unless_told_otherwise(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n:04}"} for n in range(1001)))
    assert len((await client.get("/stuff")).json()["items"]) == 100
    assert len((await client.get("/stuff", params={"limit": 1000})).json()["items"]) == 1000
    refused = await client.get("/stuff", params={"limit": 1001})
    assert refused.status_code == 422
    assert refused.json()["parameter"] == "limit"


async def test_the_link_header_leads_through_all_pages(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "name": "Zoë & Ada", "n": n % 3} for n in range(7)))
    parameters = {"limit": "2", "sort": "-n", "filter": '{"name": "Zoë & Ada"}', "fields": "n"}
    response = await client.get("/stuff", params=parameters)
    seen = response.json()["items"]
    while "next" in response.links:
        response = await client.get(response.links["next"]["url"])
        seen += response.json()["items"]
    assert [item["n"] for item in seen] == [2, 2, 1, 1, 0, 0, 0]
    assert len({item["_id"] for item in seen}) == 7


async def test_large_documents_make_pages_shorter(client: AsyncClient) -> None:
    text = "x" * 6_000_000
    for n in range(5):
        await client.put(f"/stuff/{n}", json={"text": text})
    page = (await client.get("/stuff")).json()
    assert [item["_id"] for item in page["items"]] == ["0", "1"]
    assert [item["_id"] for item in await read_pages(client, 100)] == list("01234")


async def test_total_counts_what_matches(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "n": n} for n in range(9)))
    parameters = {"limit": "2", "count": "true", "filter": '{"n": {"$lt": 7}}'}
    page = (await client.get("/stuff", params=parameters)).json()
    assert page["total"] == 7
    after = parameters | {"after": page["next"]}
    assert (await client.get("/stuff", params=after)).json()["total"] == 7


async def test_metadata_is_that_of_each_document(client: AsyncClient) -> None:
    etag = (await client.put("/stuff/ada", json={"a": 1, "b": 2})).headers["etag"]
    for parameters in ({"meta": "true"}, {"meta": "true", "fields": "a"}):
        [item] = (await client.get("/stuff", params=parameters)).json()["items"]
        assert f'"{item["_stuff"]["etag"]}"' == etag
        assert datetime.fromisoformat(item["_stuff"]["updated_at"]).tzinfo == UTC
    [item] = (await client.get("/stuff")).json()["items"]
    assert "_stuff" not in item


@pytest.mark.parametrize("sort", [None, "z", "a.b", "-a"])
async def test_fields_picks_the_same_as_for_one_document(
    client: AsyncClient, sort: str | None
) -> None:
    document = {
        "z": 0,
        "a": [{"b": 1, "c": 2}, 3, [{"b": 4, "d": 5}]],
        "d": {"e": {"f": 6}},
        "g": 7,
    }
    await client.put("/stuff/1", json=document)
    for fields in ("a.b", "d", "d.e", "g.h", "d.e.f,a", "_id", "a.c,d,d.e"):
        parameters = {"fields": fields} | ({"sort": sort} if sort else {})
        [item] = (await client.get("/stuff", params=parameters)).json()["items"]
        assert item == (await client.get("/stuff/1", params={"fields": fields})).json(), fields


async def test_writes_between_pages_neither_repeat_nor_hide_an_untouched_document(
    client: AsyncClient,
) -> None:
    chance = random.Random(7)
    await fill(client, *({"_id": f"{n:03}", "n": chance.randrange(20)} for n in range(200)))
    untouched = {f"{n:03}" for n in range(0, 200, 2)}
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = (await client.get("/stuff", params={"limit": "7", "sort": "-n"} | after)).json()
        seen += [item["_id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
        for _ in range(10):
            id = f"{chance.randrange(1, 200, 2):03}"
            match chance.randrange(3):
                case 0:
                    await client.put(f"/stuff/{id}", json={"n": chance.randrange(20)})
                case 1:
                    await client.delete(f"/stuff/{id}")
                case 2:
                    await client.post("/stuff", json={"n": chance.randrange(20)})
    assert sorted(id for id in seen if id in untouched) == sorted(untouched)


async def test_a_page_can_start_after_a_deleted_document(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}"} for n in range(5)))
    first = (await client.get("/stuff", params={"limit": 2})).json()
    for id in ("0", "1", "2"):
        await client.delete(f"/stuff/{id}")
    second = (await client.get("/stuff", params={"after": first["next"]})).json()
    assert [item["_id"] for item in second["items"]] == ["3", "4"]


@pytest.mark.parametrize(
    "change",
    [
        {"sort": "-n"},
        {"sort": "n,_id"},
        {"filter": '{"n": 1}'},
        {"after": ""},
        {"after": "AAAA"},
        {"after": "no cursor"},
        {"after": "é"},
    ],
)
async def test_a_cursor_belongs_to_its_query(client: AsyncClient, change: dict[str, str]) -> None:
    await fill(client, *({"_id": f"{n}", "n": 1} for n in range(3)))
    query = {"limit": "1", "filter": '{"n": {"$gt": 0}}'}
    page = (await client.get("/stuff", params=query)).json()
    response = await client.get("/stuff", params=query | {"after": page["next"]} | change)
    assert_problem(response, 422, "invalid-parameter", parameter="after")


async def test_a_changed_cursor_is_refused(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}"} for n in range(3)))
    cursor = (await client.get("/stuff", params={"limit": 1})).json()["next"]
    for position in range(0, len(cursor), 7):
        other = "B" if cursor[position] == "A" else "A"
        changed = cursor[:position] + other + cursor[position + 1 :]
        assert (await client.get("/stuff", params={"after": changed})).status_code == 422


async def test_the_view_and_the_size_of_pages_may_change_on_the_way(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}", "n": n} for n in range(5)))
    cursor = (await client.get("/stuff", params={"limit": 1})).json()["next"]
    parameters = {"limit": "2", "fields": "n", "after": cursor}
    page = (await client.get("/stuff", params=parameters)).json()
    assert [item["n"] for item in page["items"]] == [1, 2]


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "ten", "1.5", ""])
async def test_an_invalid_limit_is_refused(client: AsyncClient, limit: str) -> None:
    response = await client.get("/stuff", params={"limit": limit})
    assert response.status_code == 422
    assert response.json()["parameter"] == "limit"


@pytest.mark.parametrize(
    ("query", "advice"),
    [
        ("limit=ten", "Send a whole number, such as 10."),
        ("limit=1.5", "Send a whole number, such as 10."),
        ("limit=" + "9" * 5000, "Send a smaller number."),
        ("limit=0", "Send a whole number, 1 or more."),
        ("limit=2147483648", "Send a whole number, 2,147,483,647 or less."),
        ("count=maybe", "Send one of them."),
        ("meta=maybe", "Send one of them."),
    ],
)
async def test_a_malformed_parameter_is_told_what_to_send(
    client: AsyncClient, query: str, advice: str
) -> None:
    problem = (await client.get(f"/stuff?{query}")).json()
    name = query.partition("=")[0]
    assert problem["parameter"] == name
    assert problem["detail"].startswith(f"{name!r} is ")
    assert problem["detail"].endswith(advice)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_a_parameter_given_twice_is_refused_and_an_unknown_one_ignored(
    client: AsyncClient, method: str
) -> None:
    await fill(client, {"_id": "a", "n": 1})
    for name, value in {"limit": "1", "sort": "n", "filter": "{}", "fields": "n"}.items():
        twice = await client.request(method, f"/stuff?{name}={value}&{name}={value}")
        assert twice.status_code == 422
        if method == "GET":
            assert_problem(twice, 422, "invalid-parameter", parameter=name)
    assert (await client.request(method, "/stuff?_=1&limit=1")).status_code == 200


async def test_head_answers_what_get_would(client: AsyncClient) -> None:
    await fill(client, *({"_id": f"{n}"} for n in range(3)))
    same = {"X-Request-ID": "same"}
    get = await client.get("/stuff", params={"limit": 1}, headers=same)
    head = await client.head("/stuff", params={"limit": 1}, headers=same)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers == get.headers
