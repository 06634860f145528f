"""What the collections of a process share, and what each has for itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient

from service.mongo.access import CollectionAccess
from service.settings import Settings
from service.store.batching import bounds
from tests.support.applications import Application, live
from tests.support.declaring import declare
from tests.support.following import EVENTS, follow
from tests.support.gating import Gate, start
from tests.support.problems import assert_problem


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return declare(tmp_path, books={"name": "Book", "mongodb": "library_books"}, notes={})


@pytest.fixture
async def live_client(settings: Settings, file: Path) -> AsyncIterator[AsyncClient]:
    async with live(settings, collections=file) as client:
        yield client


async def test_the_feed_of_a_collection_shows_no_change_of_another(
    live_client: AsyncClient,
) -> None:
    async with AsyncExitStack() as stack:
        books, one, stuff = [
            await stack.enter_async_context(follow(live_client, path))
            for path in ("/books", "/books/a", "/stuff")
        ]
        for number, name in enumerate(("stuff", "notes", "books")):
            await live_client.put(f"/{name}/a", json={"n": number})
        await live_client.delete("/notes/a")
        await live_client.delete("/books/a")
        await live_client.delete("/stuff/a")
        for events, n in ((books, 2), (one, 2), (stuff, 0)):
            put, delete = await events.take(2)
            assert (put.kind, put.n, delete.kind) == ("put", n, "delete")
        missed = await stack.enter_async_context(follow(live_client, "/books", ""))
        await live_client.put("/books/b", json={"n": 4})
        assert (await missed.next()).n == 4
    async with follow(live_client, "/books", last=books.last_id) as resumed:
        assert (await resumed.next()).n == 4


async def test_a_collection_that_nobody_follows_has_no_change_stream(
    live_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    change_stream = CollectionAccess.change_stream

    def watched(access: CollectionAccess, *arguments: Any) -> Any:
        opened.append(access.name)
        return change_stream(access, *arguments)

    monkeypatch.setattr(CollectionAccess, "change_stream", watched)
    for name in ("stuff", "books", "notes"):
        await live_client.put(f"/{name}/a", json={})
    async with follow(live_client, "/books"), follow(live_client, "/books/a"):
        assert opened == ["library_books"]


async def test_the_followers_of_all_collections_are_bounded_together(
    settings: Settings, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.feed.feed.MAX_FILTERS", 1)
    async with live(settings, collections=file, max_subscribers=2) as client:
        async with follow(client, "/books", filter='{"n": 1}'):
            filtered = {"filter": '{"n": 1}'}
            full = await client.get("/notes", headers=EVENTS, params=filtered)
            assert_problem(full, 503, "feed-full")
            async with follow(client, "/stuff"):
                assert_problem(await client.get("/notes", headers=EVENTS), 503, "feed-full")


async def test_round_trips_are_bounded_together_and_a_busy_collection_delays_no_other(
    application: Application, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "ROUND_TRIPS", 1)
    monkeypatch.setattr(bounds, "MAX_COUNT", 1)
    async with application(collections=file) as client:
        gate = Gate(monkeypatch)
        tasks = await start(*(client.get(f"/stuff/{id}") for id in "abc"))
        await gate.holds(1)
        tasks += await start(client.get("/books/x"), client.get("/notes/y"))
        await gate.holds(1)
        gate.open()
        for response in await asyncio.gather(*tasks):
            assert_problem(response, 404, "document-not-found")
        assert gate.sent == [["a"], ["x"], ["y"], ["b"], ["c"]]
