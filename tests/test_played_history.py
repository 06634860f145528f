"""Change streams of a played database are what a driver gets from mongos."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from bson import Timestamp
from pymongo import MongoClient
from pymongo.change_stream import ChangeStream
from pymongo.errors import OperationFailure

from service.settings import Settings
from tests.support.applications import listen
from tests.support.clients import connect
from tests.support.database.answers import error
from tests.support.database.events import Delete, Put
from tests.support.database.history import History
from tests.support.database.playing import Play
from tests.support.database.roles import MONGOS
from tests.support.database.server import PlayedDatabase
from tests.support.following import follow

Stream = ChangeStream[dict[str, Any]]


@contextmanager
def streams(database: PlayedDatabase) -> Iterator[Any]:
    """Opens change streams of the collection."""
    with MongoClient[dict[str, Any]](database.uri()) as client:

        def watch(**options: Any) -> Stream:
            return client.demo.stuff.watch(max_await_time_ms=50, **options)

        yield watch


def told(stream: Stream, count: int) -> list[Any]:
    """So many ids of documents, in their order; empty batches are read over."""
    found: list[Any] = []
    while len(found) < count:
        event = stream.try_next()
        if event is not None:
            found.append(event["documentKey"]["_id"])
    return found


def test_a_stream_tells_what_happens_and_goes_on_after_a_token(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    history.happened(Put("before"))
    with streams(database) as watch, watch() as stream:
        tokens = history.happened(Put("a", {"n": 1}), Put("a", {"n": 2}, "update"), Delete("a"))
        assert tokens == sorted(tokens)
        first, second, third = (stream.next() for _ in range(3))
        assert first["fullDocument"] == {"_id": "a", "n": 1}
        assert second["updateDescription"]["updatedFields"] == {"n": 2}
        assert (third["operationType"], "fullDocument" in third) == ("delete", False)
        history.happened(Put("gone", None, "update"))
        assert stream.next()["fullDocument"] is None
        assert stream.try_next() is None
        rest = stream.resume_token["_data"]
        assert rest > tokens[-1]  # it has come further, although nothing has happened
        history.happened(Put("b"))
        for options, expected in [
            ({"resume_after": {"_data": tokens[1]}}, ["a", "gone", "b"]),
            ({"start_after": {"_data": rest}}, ["b"]),
            ({"start_at_operation_time": first["clusterTime"]}, ["a", "a", "a", "gone", "b"]),
        ]:
            with watch(**options) as again:
                assert told(again, len(expected)) == expected


def test_events_of_a_transaction_share_their_time_but_not_their_tokens(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    with streams(database) as watch, watch() as stream:
        tokens = history.committed(*(Put(f"{n}") for n in range(100)))
        assert tokens == sorted(set(tokens))
        events = [stream.next() for _ in range(100)]
        assert len({event["clusterTime"] for event in events}) == 1
        with watch(resume_after={"_data": tokens[97]}) as rest:
            assert told(rest, 2) == ["98", "99"]


def test_batches_may_be_empty_although_more_is_to_come(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    history.empty_batches = 3
    with streams(database) as watch, watch(batch_size=2) as stream:
        history.happened(*(Put(f"{n}") for n in range(4)))
        found = [stream.try_next() for _ in range(10)]
        ids = [event and event["documentKey"]["_id"] for event in found]
        assert ids == [None, None, None, "0", "1", None, None, None, "2", "3"]


def test_a_slow_shard_holds_back_what_others_tell(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    with streams(database) as watch, watch() as stream:
        history.freeze(1)
        [later] = history.happened(Put("a"))
        assert [stream.try_next() for _ in range(3)] == [None] * 3
        assert stream.resume_token["_data"] < later
        history.thaw(1)
        assert told(stream, 1) == ["a"]


def test_a_collection_that_is_dropped_ends_its_streams(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    with streams(database) as watch, watch() as stream:
        [_, invalidate] = history.dropped()
        history.happened(Put("new"))
        assert [event["operationType"] for event in stream] == ["drop", "invalidate"]
        assert not stream.alive
        with pytest.raises(OperationFailure, match="invalidate") as failure:
            watch(resume_after={"_data": invalidate})
        assert failure.value.code == 260
        with watch(start_after={"_data": invalidate}) as again:
            assert told(again, 1) == ["new"]


def test_forgotten_unknown_and_malformed_tokens_are_refused(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    [token] = history.happened(Put("a"))
    with streams(database) as watch:
        history.forget()
        for given, code in [(token, 286), ("x", 50811)]:
            with pytest.raises(OperationFailure) as failure:
                watch(resume_after={"_data": given})
            assert failure.value.code == code
        with pytest.raises(OperationFailure) as failure:
            watch(start_at_operation_time=Timestamp(1, 1))
        assert failure.value.code == 286
        [token] = history.happened(Put("b"))
        with pytest.raises(OperationFailure) as failure:
            watch(resume_after={"_data": token[:-4] + "FF04"})
        assert failure.value.code == 280


def test_a_stream_survives_what_its_driver_may_resume_and_nothing_else(play: Play) -> None:
    database = play(MONGOS)
    history = History(database)
    with streams(database) as watch, watch() as stream:
        history.happened(Put("a"), Put("b"), Put("c"))
        assert told(stream, 1) == ["a"]
        assert told(stream, 2) == ["b", "c"]
        history.lose_cursors()
        history.happened(Put("d"))
        assert told(stream, 1) == ["d"]
        database.answer("getMore", error(13388))
        history.happened(Put("e"))
        assert told(stream, 1) == ["e"]
        database.answer("getMore", error(280))
        with pytest.raises(OperationFailure) as failure:
            stream.next()
        assert failure.value.code == 280


async def test_the_service_follows_it(play: Play, settings: Settings) -> None:
    database = play(MONGOS, forward=True)
    history = History(database, settings.database)
    changes = {"mongodb_uri": database.uri()}
    async with (
        listen(Settings(**settings.model_dump() | changes)) as url,
        connect(url) as client,
        follow(client) as events,
    ):
        history.empty_batches = 2
        history.happened(Put("a", {"n": 1}), Put("a", {"n": 2}, "replace"))
        history.committed(Put("b", {"n": 3}), Put("c", {"n": 4}))
        assert [event.n for event in await events.take(4)] == [1, 2, 3, 4]
