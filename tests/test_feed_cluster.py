"""The feed through mongos, whose answers are often empty although more is to come."""

from contextlib import AsyncExitStack
from typing import Any

import pytest
from httpx import AsyncClient

from service.store.feed import channel as channel_module
from tests.support.applications import process
from tests.support.database.answers import Exchange, Gate, Reply
from tests.support.database.events import Put
from tests.support.database.history import History
from tests.support.database.playing import Play
from tests.support.database.roles import MONGOS
from tests.support.database.server import PlayedDatabase
from tests.support.following import follow


def puts(first: int, end: int) -> list[Put]:
    return [Put(f"{n}", {"n": n}) for n in range(first, end)]


async def ids_of(database: PlayedDatabase, history: History, *batches: list[Put]) -> list[str]:
    """The ids of the events of these transactions, as a process has sent them; the first is that
    from before all of them."""
    async with process(database.uri()) as client, follow(client) as events:
        ids = [events.last_id]
        for batch in batches:
            history.committed(*batch)
            ids += [event.id for event in await events.take(len(batch))]
    return ids


async def numbers(client: AsyncClient, last: str, count: int) -> list[int]:
    async with follow(client, last=last) as events:
        return [event.n for event in await events.take(count)]


async def test_an_empty_answer_does_not_end_the_catching_up(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    ids = await ids_of(database, history, *([put] for put in puts(0, 10)))
    history.empty_batches = 3
    async with process(database.uri()) as client, follow(client, last=ids[4]) as events:
        assert [event.n for event in await events.take(6)] == [*range(4, 10)]
        history.happened(*puts(10, 12))
        assert [event.n for event in await events.take(2)] == [10, 11]


async def test_a_shard_that_is_slow_loses_no_change_of_another(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    [last] = await ids_of(database, history)
    history.freeze(1)
    history.happened(*puts(0, 3))
    async with process(database.uri()) as client, follow(client) as live:
        # The channel has begun now; the past is held back by the slow shard.
        async with follow(client, last=last) as events:
            await database.until_asked("getMore", len(database.commands("getMore")) + 5)
            history.thaw(1)
            history.happened(*puts(3, 5))
            assert [event.n for event in await events.take(5)] == [0, 1, 2, 3, 4]
        assert [event.n for event in await live.take(2)] == [3, 4]


@pytest.mark.parametrize("is_remembered", [True, False])
async def test_a_client_resumes_within_a_transaction(
    play: Play, is_remembered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_remembered:
        monkeypatch.setattr(channel_module, "RECENT_COUNT", 2)
    database = play(MONGOS)
    history = History(database)
    async with process(database.uri()) as client, follow(client) as live:
        ids = [live.last_id]
        history.committed(*puts(0, 5))
        ids += [event.id for event in await live.take(5)]
        for index in range(5):
            assert await numbers(client, ids[index], 5 - index) == [*range(index, 5)]
    async with process(database.uri()) as client:
        for index in range(5):
            assert await numbers(client, ids[index], 5 - index) == [*range(index, 5)]


async def test_those_who_return_together_resume_within_a_transaction(play: Play) -> None:
    """In one round, which reads from the position of the first of them."""
    database = play(MONGOS)
    history = History(database)
    ids = await ids_of(database, history, puts(0, 5))
    gate = Gate()
    async with process(database.uri()) as client, AsyncExitStack() as stack:
        await stack.enter_async_context(follow(client))
        database.always("aggregate", gate.before(history._open))
        herd = [await stack.enter_async_context(follow(client, last=id)) for id in ids[:5]]
        await gate.reached()
        gate.open()
        for index, events in enumerate(herd):
            assert [event.n for event in await events.take(5 - index)] == [*range(index, 5)]


async def test_what_happens_while_a_channel_opens_is_not_missed(play: Play) -> None:
    """By a client that another process has told a part of it."""
    database = play(MONGOS)
    history = History(database)
    async with process(database.uri()) as other, follow(other) as told:
        async with AsyncExitStack() as stack:

            def late(exchange: Exchange) -> Reply:
                history.happened(*puts(0, 2))
                return history._open(exchange)

            client = await stack.enter_async_context(process(database.uri()))
            database.answer("aggregate", late)
            live = await stack.enter_async_context(follow(client))
            first, _ = await told.take(2)
            history.happened(*puts(2, 3))
            assert (await live.next()).n == 2
            assert await numbers(client, first.id, 2) == [1, 2]


async def test_a_stream_may_begin_with_changes(
    play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    """Then the driver has no token of where it begins."""
    database = play(MONGOS)
    history = History(database)
    [before] = await ids_of(database, history)

    def with_changes(exchange: Exchange) -> Reply:
        stage: dict[str, Any] = exchange.command["pipeline"][0]["$changeStream"]
        stage["startAtOperationTime"] = database.clock.now
        history.happened(*puts(0, 2))
        return history._open(exchange)

    async with process(database.uri()) as client:
        database.answer("aggregate", with_changes)
        async with follow(client) as live:
            assert live.last_id
            assert not caplog.records  # as if it had failed, and been opened again
            history.happened(*puts(2, 4))
            assert [event.n for event in await live.take(2)] == [2, 3]
            assert await numbers(client, live.last_id, 0) == []
        assert await numbers(client, before, 4) == [0, 1, 2, 3]


async def test_positions_are_compared_by_their_tokens_alone(play: Play) -> None:
    """Older versions sent other times with them: of the last change, or of a ping."""
    database = play(MONGOS)
    history = History(database)
    async with process(database.uri()) as client, follow(client) as live:
        ids = [live.last_id]
        history.happened(*puts(0, 3))
        ids += [event.id for event in await live.take(3)]
        for time in ("0" * 16, "f" * 16):
            for index, id in enumerate(ids[:3]):
                last = f"{time}.{id.partition('.')[2]}"
                assert await numbers(client, last, 3 - index) == [*range(index, 3)]


async def test_whoever_returns_from_before_a_drop_learns_of_it(play: Play) -> None:
    """Although the feed has begun again since, exactly where the collection ended: so it does if
    nothing has happened in the database in between."""
    database = play(MONGOS)
    history = History(database)
    ends: list[str] = []

    def at_the_end(exchange: Exchange) -> Reply:
        reply = history._open(exchange)
        reply["cursor"]["postBatchResumeToken"] = {"_data": ends[0]}
        history.happened(*puts(2, 3))  # so that the channel does not forget where it began
        return reply

    async with process(database.uri()) as client:
        async with follow(client) as live:
            first = live.last_id
            history.happened(*puts(0, 2))
            assert [event.n for event in await live.take(2)] == [0, 1]
            database.answer("aggregate", at_the_end)
            ends += history.dropped()
            assert (await live.next()).kind == "gone"
        async with follow(client, last=first) as events:
            assert [event.n for event in await events.take(2)] == [0, 1]
            assert (await events.next()).kind == "gone"
            with pytest.raises(StopAsyncIteration):
                await events.next()
