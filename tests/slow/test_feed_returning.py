"""Followers who come back, many at a time: as after a restart of the service."""

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import Any

import pytest
from httpx import AsyncClient

from service.store.feed import catching_up, stream
from tests.support.applications import process
from tests.support.database.answers import Exchange, Gate, Reply
from tests.support.database.events import Put
from tests.support.database.history import History
from tests.support.database.playing import Play
from tests.support.database.roles import MONGOS
from tests.support.database.server import PlayedDatabase
from tests.support.following import Events, follow

HERD = 40
SLOTS = 4
TEXT = "x" * 200_000


def restarted(database: PlayedDatabase) -> AbstractAsyncContextManager[AsyncClient]:
    """A client of a process that remembers nothing, and has few slots."""
    return process(database.uri(), max_requests=SLOTS)


async def told(database: PlayedDatabase, history: History, count: int) -> list[str]:
    """The ids of so many events, and of the place before them, as a process has sent them."""
    async with restarted(database) as client, follow(client) as events:
        ids = [events.last_id]
        history.happened(*(Put(f"{n}", {"n": n}) for n in range(count)))
        return ids + [event.id for event in await events.take(count)]


def resumed(database: PlayedDatabase) -> list[str]:
    """The tokens after which change streams were opened."""
    stages = [asked["pipeline"][0] for asked in database.commands("aggregate")]
    options = [stage.get("$changeStream", {}) for stage in stages]
    return [option["resumeAfter"]["_data"] for option in options if "resumeAfter" in option]


async def test_a_herd_shares_a_catch_up_and_takes_no_slots(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    ids = await told(database, history, HERD)
    gate = Gate()

    def opened(exchange: Exchange) -> Reply:
        return history._open(exchange)

    async with restarted(database) as client, AsyncExitStack() as stack:
        await stack.enter_async_context(follow(client))
        database.always("aggregate", gate.before(opened))
        # All have their responses, although nothing can be read yet.
        herd = await asyncio.gather(
            *(stack.enter_async_context(follow(client, last=id)) for id in ids[:HERD])
        )
        await gate.reached()
        assert (await client.get("/healthz")).status_code == 200
        gate.open()
        for index, events in enumerate(herd):
            assert [event.n for event in await events.take(HERD - index)] == [*range(index, HERD)]
        history.happened(Put("last", {"n": -1}))
        for events in herd:
            assert (await events.next()).n == -1
    assert ids[0].partition(".")[2] in resumed(database)
    assert len(resumed(database)) <= 2 * catching_up.MAX_ROUNDS


async def test_slow_followers_do_not_hold_others_and_miss_nothing(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "PATIENCE", 0.1)
    count = 100  # of 200 kB: more than all buffers on the way to a client
    database = play(MONGOS)
    history = History(database)
    [last] = await told(database, history, 0)
    history.happened(*(Put(f"{n}", {"n": n, "text": TEXT}) for n in range(count)))
    async with restarted(database) as client, AsyncExitStack() as stack:
        slow = [
            await stack.enter_async_context(follow(client, last=last))
            for _ in range(2 * catching_up.MAX_ROUNDS)
        ]
        async with follow(client, last=last) as events:
            assert [event.n for event in await events.take(count)] == [*range(count)]
        for events in slow[:2]:
            assert [event.n for event in await events.take(count)] == [*range(count)]
        history.happened(Put("last", {"n": -1}))
        for events in slow[:2]:
            assert (await events.next()).n == -1


async def test_a_forgotten_position_ends_no_other_feed(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    forgotten = await told(database, history, 3)
    history.forget()
    known = await told(database, history, 3)
    async with restarted(database) as client, AsyncExitStack() as stack:
        async with follow(client, last=known[1][:-4] + "FF04") as unknown:
            assert (await unknown.next()).kind == "gone"

        async def returned(id: str) -> Events:
            return await stack.enter_async_context(follow(client, last=id))

        lost = [await returned(id) for id in forgotten]
        others = [await returned(id) for id in known[:3]]
        for events in lost:
            gone = await events.next()
            assert (gone.kind, gone.data["type"]) == ("gone", "/problems/feed-gone")
            assert events.last_id == ""
            with pytest.raises(StopAsyncIteration):
                await events.next()
        for index, events in enumerate(others):
            assert [event.n for event in await events.take(3 - index)] == [*range(index, 3)]


async def test_catching_up_continues_after_an_outage_of_the_database(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    ids = await told(database, history, 5)
    is_away = True

    def away(command: dict[str, Any]) -> bool:
        return is_away and "resumeAfter" in str(command["pipeline"])

    database.always("aggregate", {"ok": 0.0, "code": 91, "errmsg": "planted"}, when=away)
    async with (
        process(database.uri(), max_requests=SLOTS) as client,
        follow(client, last=ids[0]) as events,
    ):
        await database.until_asked("aggregate", len(database.commands("aggregate")) + 3)
        is_away = False
        assert [event.n for event in await events.take(5)] == [*range(5)]


async def test_a_follower_that_is_far_behind_makes_way_for_others(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "MAX_ROUNDS", 1)
    monkeypatch.setattr(catching_up, "TURN", 0.0)
    monkeypatch.setattr(stream, "BATCH_SIZE", 1)
    count = 60
    database = play(MONGOS)
    history = History(database)
    ids = await told(database, history, count)
    async with restarted(database) as client, follow(client, last=ids[0]) as far:
        assert (await far.next()).n == 0
        async with follow(client, last=ids[-2]) as near:
            assert (await near.next()).n == count - 1
        assert [event.n for event in await far.take(count - 1)] == [*range(1, count)]
    # The far one has had several turns, and the near one a round of its own between them.
    assert ids[-2].partition(".")[2] in resumed(database)[1:-1]


async def test_a_herd_that_has_been_away_for_too_long_is_told_at_once(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    ids = await told(database, history, HERD)
    history.forget()
    async with restarted(database) as client, AsyncExitStack() as stack:
        for events in await asyncio.gather(
            *(stack.enter_async_context(follow(client, last=id)) for id in ids)
        ):
            assert (await events.next()).kind == "gone"
    assert len(resumed(database)) < HERD / 2  # where one is forgotten, those before it are
