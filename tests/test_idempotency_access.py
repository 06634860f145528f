"""Keys of requests belong to whoever sends them, and a repetition tells no more than it may."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from service.security import make_key
from tests.support.applications import Application
from tests.support.committing import write
from tests.support.declaring import declare
from tests.support.issuing import AUDIENCE, ISSUER, Issuer, serving_issuer
from tests.support.problems import assert_problem

KEY = {"Idempotency-Key": '"one"'}
MERGE = {"Content-Type": "application/merge-patch+json"}
REPLAYED = "idempotency-replayed"


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving_issuer() as issuer:
        yield issuer


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def post(client: AsyncClient, token: str, n: int = 1) -> Response:
    response = await client.post("/stuff", json={"n": n}, headers=KEY | bearer(token))
    assert response.status_code == 201, response.text
    return response


async def test_the_same_key_of_another_client_is_another_key(application: Application) -> None:
    one, one_line = make_key(["read", "write"])
    other, other_line = make_key(["read", "write"])
    async with application(api_keys=f"{one_line};{other_line}") as client:
        first, second = await post(client, one), await post(client, other, 2)
        assert REPLAYED not in second.headers
        assert first.json() != second.json()
        for token, n, before in ((one, 1, first), (other, 2, second)):
            again = await post(client, token, n)
            assert again.headers[REPLAYED] == "true"
            assert again.json() == before.json()


async def test_a_subject_may_be_any_string_of_json(
    application: Application, issuer: Issuer
) -> None:
    trusting = {"jwt_jwks_url": issuer.url, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    async with application(**trusting) as client:
        first = await post(client, issuer.token(sub="\ud800"))
        assert first.status_code == 201


async def test_tokens_of_one_subject_have_the_same_keys(
    application: Application, issuer: Issuer
) -> None:
    trusting = {"jwt_jwks_url": issuer.url, "jwt_issuer": ISSUER, "jwt_audience": AUDIENCE}
    async with application(**trusting) as client:
        first = await post(client, issuer.token(sub="ada", jti="1"))
        again = await post(client, issuer.token(sub="ada", jti="2"))
        assert again.headers[REPLAYED] == "true"
        assert again.json() == first.json()
        others: list[dict[str, Any]] = [{"sub": "charles"}, {"jti": "1"}, {"jti": "2"}]
        for claims in others:
            other = await post(client, issuer.token(**claims))
            assert REPLAYED not in other.headers


async def test_who_may_only_write_gets_again_what_it_got(application: Application) -> None:
    whole, whole_line = make_key(["read", "write"])
    blind, blind_line = make_key(["write"])
    async with application(api_keys=f"{whole_line};{blind_line}") as client:
        put = await client.put("/stuff/a", json={"n": 1, "s": "secret"}, headers=bearer(whole))
        assert put.status_code == 201
        headers = KEY | MERGE | bearer(blind) | {"Prefer": "return=representation"}
        for replayed in (None, "true"):
            response = await client.patch("/stuff/a", json={"n": 2}, headers=headers)
            assert (response.status_code, response.content) == (204, b"")
            assert "etag" not in response.headers
            assert response.headers.get(REPLAYED) == replayed
        reused = await client.patch("/stuff/a", json={"n": 3}, headers=headers)
        assert_problem(reused, 422, "idempotency-key-reused")
        commit = {"writes": [write("merge", "a", {"n": 4})]}
        for replayed in (None, "true"):
            response = await client.post("/commit", json=commit, headers=KEY | bearer(blind))
            assert response.json() == {"results": [{"status": 200, "id": "a"}]}
            assert response.headers.get(REPLAYED) == replayed


@asynccontextmanager
async def restarted(
    application: Application, line: str, scopes: str, file: Path
) -> AsyncIterator[AsyncClient]:
    """A client of a service on the same documents, to which the key gives these scopes."""
    changed = re.sub(r"(?<= )\S+", scopes, line, count=1)
    async with application(api_keys=changed, collections=file) as client:
        yield client


@pytest.mark.parametrize(
    ("left", "shows"),
    [("read,write", True), ("write", False), ("read:books,write", False)],
)
async def test_a_repetition_shows_nothing_that_may_not_be_read_any_more(
    application: Application, tmp_path: Path, left: str, shows: bool
) -> None:
    file = declare(tmp_path, books={})
    key, line = make_key(["read", "write"])
    headers = KEY | bearer(key)
    commit: dict[str, Any] = {
        "writes": [write("merge", "a", {"n": 3}), write("put", "b", {}, collection="books")]
    }
    async with restarted(application, str(line), "read,write", file) as client:
        await client.put("/stuff/a", json={"n": 1, "s": "secret"}, headers=bearer(key))
        shown = await client.patch("/stuff/a", json={"n": 2}, headers=headers | MERGE)
        assert shown.json()["s"] == "secret"
        assert (await client.post("/commit", json=commit, headers=headers)).status_code == 200
    async with restarted(application, str(line), left, file) as client:
        again = await client.patch("/stuff/a", json={"n": 2}, headers=headers | MERGE)
        made = await client.post("/commit", json=commit, headers=headers)
        if shows:
            assert again.json() == shown.json()
            assert made.status_code == 200
        else:
            assert_problem(again, 403, "forbidden")
            assert "secret" not in again.text
            assert_problem(made, 403, "forbidden")


async def test_pages_of_other_origins_may_send_the_key_and_see_the_answer(
    application: Application,
) -> None:
    origin = {"Origin": "https://app.test"}
    asking = origin | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "idempotency-key",
    }
    key, line = make_key(["read", "write"])
    async with application(api_keys=str(line), cors_origins="https://app.test") as client:
        allowed = await client.options("/stuff", headers=asking)
        assert allowed.status_code == 200
        assert "idempotency-key" in allowed.headers["access-control-allow-headers"].lower()
        sent = await client.post("/stuff", json={}, headers=KEY | origin | bearer(key))
        assert "Idempotency-Replayed" in sent.headers["access-control-expose-headers"]
