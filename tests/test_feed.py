"""The feed: nothing missed, nothing repeated, whoever writes and whatever breaks."""

import asyncio
from typing import Any

import pytest
from httpx import AsyncClient

from service.settings import Settings
from service.store.feed import channel as channel_module
from service.web import events as feeds
from tests.support.applications import listen
from tests.support.clients import connect
from tests.support.following import EVENTS, Documents, Events, follow, put


async def test_events_tell_puts_and_deletes_with_tag_and_document(live_client: AsyncClient) -> None:
    async with follow(live_client) as events:
        created = await put(live_client, "a", 1)
        await live_client.patch(
            "/stuff/a", json={"n": 2}, headers={"Content-Type": "application/merge-patch+json"}
        )
        await live_client.delete("/stuff/a")
        first, second, third = await events.take(3)
    assert first.kind == second.kind == "put"
    assert first.data == {
        "_id": "a",
        "etag": created.headers["etag"].strip('"'),
        "document": {"_id": "a", "n": 1},
    }
    assert second.n == 2
    assert third.kind == "delete"
    assert third.data == {"_id": "a", "etag": None, "document": None}
    assert len({first.id, second.id, third.id}) == 3


async def test_the_feed_of_a_document_tells_of_no_other(live_client: AsyncClient) -> None:
    async with follow(live_client, "/stuff/b") as events:
        for id, n in (("a", 1), ("b", 2), ("c", 3), ("b", 4)):
            await put(live_client, id, n)
        await live_client.delete("/stuff/b")
        assert [event.n for event in await events.take(3)] == [2, 4, None]


async def test_changes_by_other_programs_are_events_too(
    live_client: AsyncClient, collection: Documents
) -> None:
    async with follow(live_client) as events:
        collection.insert_one({"_id": 5, "n": 1})
        collection.update_one({"_id": 5}, {"$set": {"n": 2}})
        [first] = await events.take(1)
        assert (first.data["_id"], first.kind) == (5, "put")
        [second] = await events.take(1)
        assert second.n == 2
        assert second.data["etag"] == (await etag_of(live_client, {"n": 2}))


async def etag_of(client: AsyncClient, fields: dict[str, Any]) -> str:
    response = await client.put("/stuff/other", json=fields)
    return response.headers["etag"].strip('"')


async def test_a_filter_narrows_the_feed_but_not_its_deletions(live_client: AsyncClient) -> None:
    filter = '{"$or": [{"n": {"$gt": 5}}, {"n": 1}]}'
    async with follow(live_client, filter=filter) as events:
        for n in (0, 1, 5, 6):
            await put(live_client, f"{n}", n)
        await live_client.delete("/stuff/0")
        assert [event.n for event in await events.take(3)] == [1, 6, None]
    refused = await live_client.get("/stuff", headers=EVENTS, params={"filter": '{"$where": 1}'})
    assert refused.status_code == 422
    assert refused.json()["pointer"] == "/$where"
    none = {"filter": '{"a": {"$regex": "[a"}}'}  # which only the database finds out
    assert (await live_client.get("/stuff", headers=EVENTS, params=none)).status_code == 422


@pytest.mark.parametrize("path", ["/stuff", "/stuff/a"])
async def test_a_client_that_accepts_json_as_well_does_not_get_the_feed(
    live_client: AsyncClient, path: str
) -> None:
    await put(live_client, "a", 1)
    for accept in (
        "application/json, text/event-stream, application/problem+json",  # generated clients
        "text/event-stream, application/json",
        "text/event-stream;q=0.5, */*",
    ):
        response = await live_client.get(path, headers={"Accept": accept})
        assert response.headers["content-type"] == "application/json", accept
    for accept in ("text/event-stream, */*;q=0.5", "text/event-stream, text/html"):
        async with live_client.stream("GET", path, headers={"Accept": accept}) as response:
            assert response.headers["content-type"].startswith("text/event-stream"), accept


@pytest.mark.parametrize("by_parameter", [True, False])
async def test_a_feed_resumes_after_the_last_event(
    live_client: AsyncClient, by_parameter: bool
) -> None:
    async with follow(live_client) as events:
        for n in range(5):
            await put(live_client, "a", n)
        ids = [event.id for event in await events.take(3)]
    await put(live_client, "a", 5)
    last = {"last_event_id": ids[1]} if by_parameter else {"last": ids[1]}
    async with follow(live_client, **last) as events:
        assert [event.n for event in await events.take(4)] == [2, 3, 4, 5]
        await put(live_client, "a", 6)
        assert (await events.next()).n == 6


async def test_a_client_that_has_seen_no_event_yet_misses_none(live_client: AsyncClient) -> None:
    async with follow(live_client) as events:
        last = events.last_id
        assert last
    for n in range(3):
        await put(live_client, "a", n)
    async with follow(live_client, last=last) as events:
        assert [event.n for event in await events.take(3)] == [0, 1, 2]


async def test_keep_alive_comments_say_where_to_resume(
    live_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "KEEP_ALIVE", 0.2)
    marks = 0

    async def read_marks(events: Events) -> None:
        nonlocal marks
        while True:
            mark = await events.next(mark=True)
            assert (mark.kind, mark.comment) == ("", "Nothing has changed.")
            marks += 1

    async with follow(live_client, "/stuff/b") as events, follow(live_client) as all:
        reading = asyncio.create_task(read_marks(events))
        try:
            await put(live_client, "a", 1)
            await put(live_client, "a", 2)
            assert [event.n for event in await all.take(2)] == [1, 2]
            seen = marks
            while marks < seen + 2:  # one may have been under way
                assert not reading.done(), reading
                await asyncio.sleep(0.01)
            last = events.last_id
        finally:
            reading.cancel()
    async with follow(live_client, last=last) as events:
        await put(live_client, "a", 3)
        assert (await events.next()).n == 3


async def test_a_position_that_is_not_remembered_is_read_from_the_database(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listen(settings) as url, connect(url) as client:
        async with follow(client) as events, follow(client, "/stuff/7") as one:
            start, start_of_one = events.last_id, one.last_id
            for n in range(50):
                await put(client, f"{n % 10}", n)
            ids = [event.id for event in await events.take(50)]
    monkeypatch.setattr(channel_module, "RECENT_COUNT", 5)
    # Another process, that remembers nothing.
    async with listen(settings) as url, connect(url) as client:
        for last, first in ((start, 0), (ids[20], 21), (ids[48], 49)):
            async with follow(client, last=last) as events:
                missed = [event.n for event in await events.take(50 - first)]
                assert missed == list(range(first, 50))
                await put(client, "x", -1)
                assert (await events.next()).n == -1
        async with follow(client, "/stuff/7", last=start_of_one) as one:
            assert [event.n for event in await one.take(5)] == [7, 17, 27, 37, 47]


async def test_a_follower_that_comes_back_again_and_again_sees_all_in_order(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channel_module, "RECENT_COUNT", 20)
    async with listen(settings) as url, connect(url) as client:
        async with follow(client) as events:
            last = events.last_id

        async def write() -> None:
            for n in range(120):
                await put(client, f"{n % 7}", n)

        writing = asyncio.create_task(write())
        seen: list[int] = []
        while len(seen) < 120:
            async with follow(client, last=last) as events:
                seen += [event.n for event in await events.take(min(37, 120 - len(seen)))]
                last = events.last_id
        await writing
        assert seen == list(range(120))


async def test_a_client_resumes_within_a_transaction(
    settings: Settings, collection: Documents, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose changes the database made at the same time."""

    def commit(first: int) -> None:
        with collection.database.client.start_session() as session, session.start_transaction():
            for n in range(first, first + 5):
                collection.insert_one({"_id": f"{n}", "n": n}, session=session)

    monkeypatch.setattr(channel_module, "RECENT_COUNT", 2)
    collection.insert_one({"_id": "before", "n": -1})
    async with listen(settings) as url, connect(url) as client, follow(client) as live:
        ids = [live.last_id]
        commit(0)
        ids += [event.id for event in await live.take(5)]
        assert len({id.partition(".")[0] for id in ids[1:]}) == 1
        for last in range(5):
            async with follow(client, last=ids[last]) as events:
                assert [event.n for event in await events.take(5 - last)] == [*range(last, 5)]
    async with listen(settings) as url, connect(url) as client:
        for last in range(5):
            async with follow(client, last=ids[last]) as events:
                assert [event.n for event in await events.take(5 - last)] == [*range(last, 5)]


@pytest.mark.parametrize("last", ["x", "0" * 16 + ".", "0" * 16 + ".zz", "é", "1.2"])
async def test_a_malformed_event_id_is_refused(live_client: AsyncClient, last: str) -> None:
    response = await live_client.get("/stuff", headers=EVENTS, params={"last_event_id": last})
    assert response.status_code == 422
    assert response.json()["parameter"] == "last_event_id"


async def test_without_the_format_in_accept_nothing_changes(live_client: AsyncClient) -> None:
    await put(live_client, "a", 1)
    for headers in ({"Accept": "*/*"}, {"Accept": "application/json"}, {}):
        response = await live_client.get("/stuff/a", headers=headers)
        assert response.json() == {"_id": "a", "n": 1}
    head = await live_client.head("/stuff", headers=EVENTS)
    assert head.status_code == 200
