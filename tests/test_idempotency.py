"""A request with an `Idempotency-Key` is carried out once, and can be repeated."""

import asyncio
import uuid
from typing import Any

import pytest
from httpx import AsyncClient, Response, TransportError
from pymongo.collection import Collection

from service.errors import ConfigurationError
from service.settings import Settings
from service.web import once
from tests.support.applications import listen, serve
from tests.support.clients import connect
from tests.support.committing import documents, put, write
from tests.support.problems import assert_problem
from tests.support.proxy import breaking

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
OPERATORS = "application/vnd.stuff.update-operators+json"
INCREMENT = {"$inc": {"n": 1}}
REPLAYED = "idempotency-replayed"


def keyed(key: str = "", **headers: str) -> dict[str, str]:
    """The header fields of a request with this key, or with a new one."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return {"Idempotency-Key": f'"{key or uuid.uuid4()}"'} | fields


async def increment(client: AsyncClient, headers: dict[str, str], **params: str) -> Response:
    return await client.patch(
        "/stuff/a", json=INCREMENT, headers={"Content-Type": OPERATORS} | headers, params=params
    )


def answer(response: Response) -> tuple[Any, ...]:
    """What a repetition has in common with the first answer."""
    fields = {
        name: value
        for name, value in response.headers.items()
        if name not in ("x-request-id", REPLAYED, "date")
    }
    return response.status_code, fields, response.content


def assert_replayed(first: Response, again: Response) -> None:
    assert first.is_success, first.text
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert answer(again) == answer(first)


async def test_a_post_that_is_repeated_creates_one_document(client: AsyncClient) -> None:
    headers = keyed()
    first = await client.post("/stuff", json={"n": 1}, headers=headers)
    assert first.status_code == 201
    again = await client.post("/stuff", json={"n": 1}, headers=headers)
    assert_replayed(first, again)
    assert again.headers["location"] == f"/stuff/{first.json()['_id']}"
    assert await documents(client) == {first.json()["_id"]: {"n": 1}}
    other = await client.post("/stuff", json={"n": 1}, headers=keyed())
    assert REPLAYED not in other.headers
    assert len(await documents(client)) == 2


@pytest.mark.parametrize(
    ("media_type", "patch"),
    [
        (MERGE, {"m": 1}),
        (JSON_PATCH, [{"op": "add", "path": "/list/-", "value": 1}]),
        (OPERATORS, INCREMENT),
    ],
)
@pytest.mark.parametrize("prefer", ["", "return=minimal", "return=representation"])
async def test_a_patch_that_is_repeated_is_applied_once(
    client: AsyncClient, media_type: str, patch: Any, prefer: str
) -> None:
    await client.put("/stuff/a", json={"n": 1, "list": []})
    headers = keyed(content_type=media_type) | ({"Prefer": prefer} if prefer else {})
    first = await client.patch("/stuff/a", json=patch, headers=headers)
    stored = (await client.get("/stuff/a")).content
    assert_replayed(first, await client.patch("/stuff/a", json=patch, headers=headers))
    assert (await client.get("/stuff/a")).content == stored
    await client.delete("/stuff/a")
    assert_replayed(first, await client.patch("/stuff/a", json=patch, headers=headers))


@pytest.mark.parametrize(
    ("media_type", "patch"),
    [
        (MERGE, {"m": 1, "list": [1]}),
        (JSON_PATCH, [{"op": "add", "path": "/list/-", "value": 1}]),
        (OPERATORS, {"$push": {"list": 1}, "$set": {"m": "x"}}),
    ],
)
async def test_a_key_changes_nothing_but_that_it_can_be_repeated(
    client: AsyncClient, media_type: str, patch: Any
) -> None:
    plain: list[Response] = []
    for headers in (keyed(), {}):
        await client.put("/stuff/a", json={"n": 1, "list": []})
        plain.append(
            await client.patch(
                "/stuff/a", json=patch, headers=headers | {"Content-Type": media_type}
            )
        )
    first, other = ({**dict(each.headers)} for each in plain)
    for each in (first, other):
        del each["x-request-id"]
        each.pop("last-modified", None)
    assert first == other
    assert plain[0].content == plain[1].content
    posted = [await client.post("/stuff", json={"n": 1}, headers=h) for h in (keyed(), {})]
    assert posted[0].headers.keys() == posted[1].headers.keys()
    assert posted[0].headers["etag"] == posted[1].headers["etag"]


async def test_an_upsert_that_is_repeated_creates_once(client: AsyncClient) -> None:
    headers = keyed()
    first = await increment(client, headers, upsert="true")
    assert first.status_code == 201
    assert_replayed(first, await increment(client, headers, upsert="true"))
    assert_problem(await increment(client, headers), 422, "idempotency-key-reused")
    second = await increment(client, keyed(), upsert="true")
    assert (second.status_code, second.json()) == (200, {"_id": "a", "n": 2})


async def test_a_commit_that_is_repeated_is_made_once(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"n": 1})
    body = {"writes": [write("update", "a", INCREMENT), {"op": "create", "document": {}}]}
    headers = keyed()
    first = await client.post("/commit", json=body, headers=headers)
    assert_replayed(first, await client.post("/commit", json=body, headers=headers))
    found = await documents(client)
    assert found == {"a": {"n": 2}, first.json()["results"][1]["id"]: {}}


async def test_a_condition_that_held_the_first_time_is_not_checked_again(
    client: AsyncClient,
) -> None:
    tag = (await client.put("/stuff/a", json={"n": 1})).headers["etag"]
    headers = keyed(if_match=tag)
    first = await increment(client, headers)
    assert_replayed(first, await increment(client, headers))
    assert_problem(await increment(client, keyed(if_match=tag)), 412, "precondition-failed")


async def test_another_request_with_the_same_key_is_refused(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"n": 1})
    headers = keyed("one")
    assert (await increment(client, headers)).is_success
    for content, more in (
        ({"$inc": {"n": 2}}, {}),
        (INCREMENT, {"If-Match": "*"}),
        ({"m": 1}, {"Content-Type": MERGE}),
    ):
        refused = await client.patch(
            "/stuff/a", json=content, headers={"Content-Type": OPERATORS} | headers | more
        )
        assert_problem(refused, 422, "idempotency-key-reused", parameter="idempotency-key")
    assert (await client.get("/stuff/a")).json()["n"] == 2
    first = await client.post("/stuff", json={"n": 1}, headers=headers)
    assert first.status_code == 201  # another method and path
    refused = await client.post("/stuff", json={"n": 2}, headers=headers)
    assert_problem(refused, 422, "idempotency-key-reused")
    commits = [{"writes": [put("b", {"n": n})]} for n in (1, 2)]
    assert (await client.post("/commit", json=commits[0], headers=headers)).is_success
    refused = await client.post("/commit", json=commits[1], headers=headers)
    assert_problem(refused, 422, "idempotency-key-reused")
    assert len(await documents(client)) == 3


async def test_a_request_that_fails_is_not_recorded(client: AsyncClient) -> None:
    headers = keyed()
    assert_problem(await increment(client, headers), 404, "document-not-found")
    await client.put("/stuff/a", json={"n": "text"})
    assert_problem(await increment(client, headers), 422, "invalid-patch")
    await client.put("/stuff/a", json={"n": 1})
    assert_replayed(await increment(client, headers), await increment(client, headers))
    body = {"writes": [put("b", {}), write("merge", "c", {"n": 1})]}
    refused = await client.post("/commit", json=body, headers=headers)
    assert_problem(refused, 404, "document-not-found", index=1)
    assert await documents(client) == {"a": {"n": 2}}
    await client.put("/stuff/c", json={})
    assert (await client.post("/commit", json=body, headers=headers)).is_success


async def test_many_requests_with_one_key_at_once_create_one_document(
    settings: Settings,
) -> None:
    headers = keyed()
    async with serve(settings) as one, serve(settings) as other:
        answers = await asyncio.gather(
            *(client.post("/stuff", json={"n": 1}, headers=headers) for client in (one, other) * 8)
        )
        [id] = await documents(one)
        again = await one.post("/stuff", json={"n": 1}, headers=headers)
        assert again.json() == {"_id": id}
    for each in answers:
        if each.status_code == 409:
            assert_problem(each, 409, "idempotency-key-in-use")
            assert each.headers["retry-after"] == "1"
        else:
            assert (each.status_code, each.json()) == (201, {"_id": id})
    assert sum(each.is_success and REPLAYED not in each.headers for each in answers) == 1


async def test_two_equal_patches_at_once_are_applied_once(settings: Settings) -> None:
    async with serve(settings) as one, serve(settings) as other:
        await one.put("/stuff/a", json={"n": 0})
        for round in range(1, 11):
            headers = keyed()
            both = await asyncio.gather(*(increment(each, headers) for each in (one, one, other)))
            assert {each.status_code for each in both} <= {200, 409}
            assert sum(each.is_success and REPLAYED not in each.headers for each in both) == 1
            assert (await one.get("/stuff/a")).json()["n"] == round


async def test_different_keys_at_once_are_all_applied(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"n": 0})
    both = await asyncio.gather(*(increment(client, keyed()) for _ in range(16)))
    assert sorted(each.json()["n"] for each in both) == [*range(1, 17)]


async def test_an_answer_that_was_lost_is_given_to_the_repetition(settings: Settings) -> None:
    headers = keyed()
    async with listen(settings) as url, breaking(url, [10_000], [1]) as proxy:
        async with connect(proxy) as client:
            with pytest.raises(TransportError):
                await client.post("/stuff", json={"n": 1}, headers=headers)
        async with connect(url) as client:
            again = await client.post("/stuff", json={"n": 1}, headers=headers)
            while again.status_code == 409:
                again = await client.post("/stuff", json={"n": 1}, headers=headers)
            assert again.status_code == 201
            assert await documents(client) == {again.json()["_id"]: {"n": 1}}


async def test_records_outlast_the_service(settings: Settings) -> None:
    headers = keyed()
    async with serve(settings) as client:
        first = await client.post("/stuff", json={"n": 1}, headers=headers)
    async with serve(settings) as client:
        assert_replayed(first, await client.post("/stuff", json={"n": 1}, headers=headers))


async def test_records_expire_after_a_day_also_before_the_database_deletes_them(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    headers = keyed()
    first = await client.post("/stuff", json={"n": 1}, headers=headers)
    kept = collection.database["stuff_idempotency"]
    [record] = kept.find()
    document = collection.find_one({"_id": first.json()["_id"]})
    assert document is not None
    lifetime = record["expires_at"] - document["_stuff"]["updated_at"]
    assert abs(lifetime.total_seconds() - 24 * 3600) < 60
    index = kept.index_information()["expires_at_1"]
    assert index["expireAfterSeconds"] == 0
    past = record["expires_at"].replace(year=2020)
    kept.update_one({}, {"$set": {"expires_at": past}})
    second = await client.post("/stuff", json={"n": 2}, headers=headers)
    assert second.status_code == 201
    assert REPLAYED not in second.headers
    assert len(await documents(client)) == 2
    assert_replayed(second, await client.post("/stuff", json={"n": 2}, headers=headers))


async def test_a_large_answer_is_replayed_as_with_return_minimal(
    client: AsyncClient, collection: Collection[dict[str, Any]]
) -> None:
    large = "x" * once.MAX_BODY
    await client.put("/stuff/a", json={"n": 1, "text": large})
    headers = keyed()
    first = await increment(client, headers)
    assert len(first.content) > once.MAX_BODY
    again = await increment(client, headers)
    assert (again.status_code, again.content) == (204, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["preference-applied"] == "return=minimal"
    headers["Prefer"] = "return=representation"
    first = await client.post("/stuff", json={"text": large}, headers=headers)
    again = await client.post("/stuff", json={"text": large}, headers=headers)
    assert (again.status_code, again.json()) == (201, {"_id": first.json()["_id"]})
    assert again.headers["location"] == first.headers["location"]
    for record in collection.database["stuff_idempotency"].find():
        assert len(record["answer"]["body"]) < 100


@pytest.mark.parametrize(
    "key",
    [
        '"8e03978e-40d5-43e8-bc93-6894a57f9324"', '"a b"', r'"a\"b\\c"', "8e03978e", "a/b;c=1",
        f'"{"x" * 255}"', "x" * 255, "a'b", r'"' + r"\"" * 255 + '"',
    ],
)  # fmt: skip
async def test_keys_are_strings_or_bare_words(client: AsyncClient, key: str) -> None:
    headers = {"Idempotency-Key": key}
    first = await client.post("/stuff", json={}, headers=headers)
    assert_replayed(first, await client.post("/stuff", json={}, headers=headers))


async def test_quotation_marks_are_no_part_of_the_key(client: AsyncClient) -> None:
    first = await client.post("/stuff", json={}, headers={"Idempotency-Key": '"a"'})
    again = await client.post("/stuff", json={}, headers={"Idempotency-Key": "a"})
    assert_replayed(first, again)


@pytest.mark.parametrize(
    "key",
    ["", '""', '"', '"a', 'a"', "a b", '"a", "b"', "a,b", '"a";b', '"\\a"', '"\t"', '"ä"'.encode(),
     f'"{"x" * 256}"', "x" * 256],
)  # fmt: skip
async def test_what_is_no_key_is_refused(client: AsyncClient, key: str | bytes) -> None:
    fields = [(b"idempotency-key", key.encode() if isinstance(key, str) else key)]
    refused = await client.post("/stuff", json={}, headers=fields)
    assert_problem(refused, 422, "invalid-parameter", parameter="idempotency-key")
    await client.put("/stuff/a", json={"n": 1})
    merge = {"Content-Type": MERGE}
    refused = await client.patch(
        "/stuff/a",
        json={},
        headers=[*fields, *((k.encode(), v.encode()) for k, v in merge.items())],
    )
    assert_problem(refused, 422, "invalid-parameter", parameter="idempotency-key")
    refused = await client.post("/commit", json={"writes": [put("b", {})]}, headers=fields)
    assert_problem(refused, 422, "invalid-parameter", parameter="idempotency-key")
    assert await documents(client) == {"a": {"n": 1}}


async def test_two_keys_are_refused(client: AsyncClient) -> None:
    fields = [("Idempotency-Key", '"a"'), ("Idempotency-Key", '"b"')]
    refused = await client.post("/stuff", json={}, headers=fields)
    assert_problem(refused, 422, "invalid-parameter", parameter="idempotency-key")


async def test_what_is_idempotent_anyway_ignores_the_key(client: AsyncClient) -> None:
    headers = keyed("one")
    for n in (1, 2):
        assert (await client.put("/stuff/a", json={"n": n}, headers=headers)).is_success
    assert (await client.get("/stuff/a", headers=headers)).json()["n"] == 2
    assert (await client.delete("/stuff/a", headers=headers)).status_code == 204
    assert (await client.delete("/stuff/a", headers=headers)).status_code == 404


async def test_a_load_takes_no_key(client: AsyncClient) -> None:
    headers = keyed(content_type="application/x-ndjson")
    refused = await client.post("/stuff", content=b'{"n": 1}\n', headers=headers)
    problem = assert_problem(refused, 422, "invalid-parameter", parameter="idempotency-key")
    assert "_id" in problem["detail"]
    assert await documents(client) == {}


async def test_records_are_no_collection_of_documents(settings: Settings) -> None:
    with pytest.raises(ConfigurationError, match="records of requests"):
        Settings(**settings.model_dump() | {"collection": "stuff_idempotency"})
