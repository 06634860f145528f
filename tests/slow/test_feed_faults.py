"""The feed when something ends, breaks or is too much."""

from typing import Any

import pytest
from httpx import AsyncClient

from service.settings import Settings
from service.store.feed import feed as feed_module
from service.store.feed import subscription as subscription_module
from service.store.feed.changes import read_change
from tests.support.applications import listen
from tests.support.clients import connect
from tests.support.following import EVENTS, Documents, follow, put


async def test_a_dropped_collection_ends_the_feed_and_earlier_positions_are_gone(
    live_client: AsyncClient, collection: Documents
) -> None:
    await put(live_client, "a", 1)
    async with follow(live_client) as events:
        await put(live_client, "a", 2)
        last = (await events.next()).id
        collection.drop()
        while (event := await events.next()).kind != "gone":
            assert event.kind == "delete"
        assert event.data["status"] == 410
    async with follow(live_client, last=last) as events:
        assert events.last_id == last
        assert (gone := await events.next()).kind == "gone"
        assert gone.data["status"] == 410
        # So that a browser, which comes back by itself, begins anew.
        assert events.last_id == ""
        with pytest.raises(StopAsyncIteration):
            await events.next()
    async with follow(live_client) as events:
        await put(live_client, "a", 3)
        assert (await events.next()).n == 3


async def test_a_slow_subscriber_is_dropped_and_can_resume(
    live_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_module, "QUEUE_COUNT", 20)
    text = "x" * 100_000
    async with follow(live_client) as slow, follow(live_client, "/stuff/other") as quick:
        for n in range(200):
            await live_client.put(f"/stuff/{n}", json={"n": n, "text": text})
        await put(live_client, "other", 7)
        assert (await quick.next()).n == 7
        seen = []
        while (event := await slow.next()).kind == "put":
            seen.append(event.n)
        assert event.kind == "dropped"
        assert seen == list(range(len(seen)))
        assert len(seen) < 200
        with pytest.raises(StopAsyncIteration):
            await slow.next()
    async with follow(live_client, last=slow.last_id) as again:
        rest = [event.n for event in await again.take(200 - len(seen))]
        assert seen + rest == list(range(200))


async def test_the_number_of_subscribers_and_of_filters_is_bounded(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed_module, "MAX_FILTERS", 1)
    bounded = Settings(**settings.model_dump() | {"max_subscribers": 2})
    async with listen(bounded) as url, connect(url) as client:
        async with follow(client), follow(client, filter='{"n": 1}'):
            full = await client.get("/stuff", headers=EVENTS)
            assert (full.status_code, full.headers["retry-after"]) == (503, "5")
            assert full.json()["type"] == "/problems/feed-full"
    async with listen(settings) as url, connect(url) as client:
        async with follow(client, filter='{"n": 1}'):
            other = await client.get("/stuff", headers=EVENTS, params={"filter": '{"n": 2}'})
            assert (other.status_code, other.json()["type"]) == (503, "/problems/feed-full")
        async with follow(client, filter='{"n": 3}'):  # nobody follows the first any more
            pass


async def test_a_fault_of_the_service_does_not_end_the_feed_for_good(
    live_client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with follow(live_client) as events:
        await put(live_client, "a", 1)
        last = (await events.next()).id
        faults = iter([RuntimeError("planted")])

        def fail_once(*arguments: Any) -> Any:
            for fault in faults:
                raise fault
            return read_change(*arguments)

        monkeypatch.setattr("service.store.feed.stream.read_change", fail_once)
        await put(live_client, "a", 2)
        assert (await events.next()).kind == "gone"
    async with follow(live_client, last=last) as events:
        await put(live_client, "a", 3)
        assert [event.n for event in await events.take(2)] == [2, 3]
