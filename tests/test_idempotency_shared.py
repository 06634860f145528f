"""Services with one database share the records of requests with an `Idempotency-Key`."""

from pathlib import Path

import pytest
from httpx import AsyncClient

from service.settings import Settings
from tests.support.applications import serve
from tests.support.committing import documents, put
from tests.support.declaring import declare
from tests.support.problems import assert_problem

KEY = {"Idempotency-Key": '"one"'}
OPERATORS = {"Content-Type": "application/vnd.stuff.update-operators+json"}
REPLAYED = "idempotency-replayed"


def other(settings: Settings, **changes: object) -> Settings:
    return Settings(**settings.model_dump() | changes)


async def once(client: AsyncClient, method: str, path: str, body: object) -> None:
    headers = KEY | (OPERATORS if method == "PATCH" else {})
    first = await client.request(method, path, json=body, headers=headers)
    assert first.is_success, first.text
    assert REPLAYED not in first.headers
    again = await client.request(method, path, json=body, headers=headers)
    assert again.headers[REPLAYED] == "true"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/stuff", {"n": 1}),
        ("PATCH", "/stuff/a?upsert=true", {"$inc": {"n": 1}}),
        ("POST", "/commit", {"writes": [put("a", {"n": 1})]}),
    ],
)
async def test_the_same_key_is_another_one_for_a_service_with_another_collection(
    settings: Settings, method: str, path: str, body: object
) -> None:
    async with serve(settings) as one, serve(other(settings, collection="other")) as two:
        for client in (one, two):
            await once(client, method, path, body)
            assert [*(await documents(client)).values()] == [{"n": 1}]


async def test_a_commit_is_not_repeated_in_another_collection(
    settings: Settings, tmp_path: Path
) -> None:
    body = {"writes": [put("a", {"n": 1}, collection="films")]}
    for mongodb in ("films", "movies"):
        declared = declare(tmp_path, films={"name": "Film", "mongodb": mongodb})
        async with serve(other(settings, collections=declared)) as client:
            if mongodb == "films":
                await once(client, "POST", "/commit", body)
            else:
                answer = await client.post("/commit", json=body, headers=KEY)
                assert_problem(answer, 422, "idempotency-key-reused")
