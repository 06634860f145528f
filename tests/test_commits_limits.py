"""A commit is bounded in writes, bytes and memory, and does not stop others."""

import asyncio
import time

import pytest
from fastapi import FastAPI
from httpx import ASGITransport, AsyncClient

from service.application import create_app
from service.settings import Settings
from service.store.commits import attempt
from tests.support.applications import Application
from tests.support.committing import commit, committed, documents, merge, put, tag_of, write
from tests.support.problems import assert_problem

MIB = 1024 * 1024


async def test_five_hundred_writes_are_one_commit(client: AsyncClient) -> None:
    for _ in range(2):
        made = await committed(client, *(put(f"{n}", {"n": n}) for n in range(500)))
        assert len(made) == 500
    tags = [each["etag"] for each in made]
    conditional = [merge(f"{n}", {"m": 1}, if_match=tags[n]) for n in range(500)]
    late = await commit(client, *conditional[:-1], merge("499", {}, if_match='"x"'))
    assert_problem(late, 412, "precondition-failed", index=499)
    await committed(client, *conditional)
    found = await documents(client)
    assert found == {f"{n}": {"n": n, "m": 1} for n in range(500)}


async def test_what_a_commit_reads_and_writes_is_bounded(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A patch of a few bytes reads and writes a whole document."""
    monkeypatch.setattr(attempt, "MAX_BYTES", 5 * MIB)
    for id in "abc":
        await client.put(f"/stuff/{id}", json={"text": "x" * MIB})
    await committed(client, *(merge(id, {"n": 1}) for id in "ab"))
    before = [await tag_of(client, id) for id in "abc"]
    refused = await commit(client, *(merge(id, {"n": 2}) for id in "abc"))
    assert_problem(refused, 413, "commit-too-large", limit=5 * MIB)
    assert [await tag_of(client, id) for id in "abc"] == before


async def test_a_document_that_becomes_too_large_is_refused(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"text": "x" * (15 * MIB)})
    more = "y" * (2 * MIB)
    for each, member in (
        (merge("a", {"more": more}), "patch"),
        (write("update", "a", {"$set": {"more": more}}), "operators"),
    ):
        refused = await commit(client, put("b", {}), each)
        assert_problem(refused, 413, "document-too-large", index=1, pointer=f"/writes/1/{member}")
    assert (await client.get("/stuff/b")).status_code == 404


async def test_a_body_beyond_the_limit_is_refused(application: Application) -> None:
    async with application(max_body_bytes=1000) as client:
        refused = await commit(client, put("a", {"text": "x" * 1000}))
        assert_problem(refused, 413, "body-too-large", limit=1000)


def budgeted(settings: Settings, limit: int) -> FastAPI:
    return create_app(Settings(**settings.model_dump() | {"max_total_body_bytes": limit}))


async def test_the_budget_of_the_process_counts_what_commits_hold_and_gets_it_back(
    settings: Settings,
) -> None:
    app = budgeted(settings, 4 * MIB)
    transport = ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        for id in "abcd":
            await client.put(f"/stuff/{id}", json={"text": "x" * MIB})
        # Alone, a request gets what it needs.
        assert (await commit(client, *(merge(id, {"n": 1}) for id in "ab"))).status_code == 200
        answers = await asyncio.gather(
            *(
                commit(client, put(f"e{n}", {"text": "x" * MIB}), merge("abcd"[n % 4], {"n": n}))
                for n in range(8)
            )
        )
        assert {each.status_code for each in answers} <= {200, 503}
        assert 503 in {each.status_code for each in answers}
        assert_problem(next(each for each in answers if each.status_code == 503), 503, "overloaded")
        assert app.state.budget.held == 0
        assert (await commit(client, put("a", {}), merge("b", {"n": 2}))).status_code == 200


async def test_others_are_served_while_a_large_commit_is_read(client: AsyncClient) -> None:
    """The work is done in slices: one for each write, of which these have many values."""
    values = [{"a": n, "b": [n, n]} for n in range(1000)]
    writes = [put(f"{n}", {"values": values}) for n in range(30)]
    await client.put("/stuff/other", json={})
    pauses = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0)
            pauses.append(time.perf_counter() - before)

    watching = asyncio.create_task(watch())
    started = time.perf_counter()
    assert (await commit(client, *writes)).status_code == 200
    whole = time.perf_counter() - started
    watching.cancel()
    # Parsing the body as a whole is one step; the rest is many.
    assert max(pauses) < whole / 2
    assert len(pauses) > 30
