"""The feed when its change stream fails: what its followers are told."""

import asyncio
import time
from typing import Any

import pytest
from httpx import AsyncClient

from service.store.feed import feed as feed_module
from service.store.feed import subscription as subscription_module
from service.web import events as feeds
from tests.support.applications import process
from tests.support.database.answers import Exchange, Gate, Reply, error
from tests.support.database.events import Put
from tests.support.database.history import History
from tests.support.database.playing import Play
from tests.support.database.roles import DOCUMENTDB, MONGOS, STANDALONE, Role
from tests.support.following import EVENTS, Events, follow
from tests.support.metrics import parsed, value
from tests.support.patience import TIMEOUT

SILENT = "The database has not answered for "


async def silence(client: AsyncClient) -> float:
    return value(parsed((await client.get("/metrics")).text), "stuff_feed_silence_seconds")


@pytest.mark.parametrize("role", [STANDALONE, DOCUMENTDB])
async def test_a_database_without_change_streams_is_a_501(play: Play, role: Role) -> None:
    async with process(play(role).uri()) as client:
        for _ in range(2):
            response = await client.get("/stuff", headers=EVENTS)
            assert response.status_code == 501
            assert response.json()["type"] == "/problems/feed-unsupported"


async def test_a_501_after_the_response_has_begun_ends_the_feed(play: Play) -> None:
    """For those who came while another was waiting for it."""
    database = play(MONGOS)
    gate = Gate()
    database.answer("aggregate", gate.before(error(40573)))
    async with process(database.uri()) as client:
        first = asyncio.create_task(client.get("/stuff", headers=EVENTS))
        await gate.reached()
        async with client.stream("GET", "/stuff", headers=EVENTS) as response:
            assert response.status_code == 200
            gate.open()
            event = await Events(response).next()
        assert (event.kind, event.data["status"]) == ("gone", 501)
        assert (await first).status_code == 501


async def test_a_silent_database_differs_from_one_without_changes(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription_module, "QUIET", 1.0)
    monkeypatch.setattr(subscription_module, "SILENCE", 3.0)
    monkeypatch.setattr(feed_module, "SILENCE_INTERVAL", 0.1)
    monkeypatch.setattr(feeds, "KEEP_ALIVE", 0.2)
    database = play(MONGOS)
    history = History(database)
    is_stuck = False
    # The stream can be opened each time, but is of no use.
    database.always("getMore", error(8), when=lambda _: is_stuck)
    async with process(database.uri()) as client, follow(client) as events:
        while (await events.next(mark=True)).comment != "Nothing has changed.":
            pass
        await database.until_asked("getMore", 3)
        last = events.last_id
        is_stuck = True
        # The one before the last was answered for certain: so late at least was the last answer.
        *_, answered, _ = [asked.time for asked in database.asked if asked.name == "getMore"]
        history.happened(Put("a", {"n": 1}))
        while not (event := await events.next(mark=True)).comment.startswith(SILENT):
            pass
        assert 0.5 < await silence(client) <= time.monotonic() - answered
        told = 1
        while not event.kind:
            # Opening the stream again and again is no answer: the time goes on.
            seconds = int(event.comment.removeprefix(SILENT).removesuffix(" seconds."))
            assert told <= seconds <= time.monotonic() - answered + 0.5
            told = seconds
            event = await events.next(mark=True)
        assert time.monotonic() - answered >= subscription_module.SILENCE
        assert event.kind == "dropped"
        assert "has not answered" in event.data["detail"]
        with pytest.raises(StopAsyncIteration):
            await events.next()
        is_stuck = False
        async with follow(client, last=last) as again:
            assert (await again.next()).n == 1
            async with asyncio.timeout(TIMEOUT):
                while await silence(client) > 0.9:
                    await asyncio.sleep(0.1)


@pytest.mark.parametrize("name", ["aggregate", "getMore"])
async def test_catching_up_ends_if_the_past_cannot_be_read(
    play: Play, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although the database tells what happens now. Its stream cannot be opened, or can be each
    time and is of no use."""
    monkeypatch.setattr(subscription_module, "SILENCE", 1.0)
    monkeypatch.setattr(feeds, "KEEP_ALIVE", 0.2)
    database = play(MONGOS)
    history = History(database)
    async with process(database.uri()) as client, follow(client) as events:
        last = events.last_id
        history.happened(Put("a", {"n": 1}))
        await events.next()
    past: set[int] = set()  # the cursors of the streams that resume

    def resumes(command: dict[str, Any]) -> bool:
        return "resumeAfter" in str(command)

    def without_changes(exchange: Exchange) -> Reply:
        reply = history._open(exchange)
        past.add(reply["cursor"]["id"])
        return {"cursor": dict(reply["cursor"], firstBatch=[])}

    if name == "aggregate":
        database.always("aggregate", error(91), when=resumes)
    else:
        database.always("aggregate", without_changes, when=resumes)
        database.always("getMore", error(8), when=lambda sent: sent["getMore"] in past)
    async with process(database.uri()) as client, follow(client) as live:
        async with follow(client, last=last) as events, asyncio.timeout(TIMEOUT):
            while not (event := await events.next(mark=True)).kind:
                assert event.comment == "Reading what has happened since."
            assert event.kind == "dropped"
            assert "could not be read" in event.data["detail"]
            assert events.last_id == last
        history.happened(Put("a", {"n": 2}))
        assert (await live.next()).n == 2


async def test_a_change_too_large_for_an_event_is_reported_as_a_gap(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    async with process(database.uri()) as client:
        async with follow(client) as events:
            last = events.last_id
            database.answer("getMore", error(10334, "BSONObj size: 16800000 is invalid"))
            history.happened(Put("a", {"n": 1}))
            while (gone := await events.next()).kind != "gone":
                assert gone.n == 1  # an answer was under way
            assert "too large" in gone.data["detail"]
            assert events.last_id == ""
        async with follow(client) as events:
            history.happened(Put("a", {"n": 2}))
            assert (await events.next()).n == 2
            # It is as large for one who comes back.
            database.answer("aggregate", error(10334))
            async with follow(client, last=last) as again:
                assert "too large" in (await again.next()).data["detail"]
    # Without the description of updates, which repeats the document, that is rare.
    for asked in database.commands("aggregate"):
        assert asked["pipeline"][-1] == {"$project": {"updateDescription": 0}}


async def test_a_feed_begins_while_the_database_is_away(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser would give up for good on a 503."""
    monkeypatch.setattr(feed_module, "OPENING", 0.1)
    monkeypatch.setattr(subscription_module, "QUIET", 0.1)
    monkeypatch.setattr(feeds, "KEEP_ALIVE", 0.3)
    database = play(MONGOS)
    history = History(database)
    is_away = True
    database.always("aggregate", error(91), when=lambda _: is_away)
    async with (
        process(database.uri()) as client,
        client.stream("GET", "/stuff", headers=EVENTS) as response,
    ):
        assert response.status_code == 200
        events = Events(response)
        assert (await events.next(mark=True)).comment.startswith(SILENT)
        is_away = False
        while (event := await events.next(mark=True)).comment != "The feed begins.":
            assert event.comment.startswith(SILENT)
        assert events.last_id
        history.happened(Put("a", {"n": 1}))
        assert (await events.next()).n == 1
