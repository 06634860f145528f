"""The server that plays databases: drivers take it for one, and it notices wrong commands."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
)

from tests.support.database.answers import (
    Exchange,
    Gate,
    Reply,
    broken,
    broken_after,
    cursor,
    error,
    forward,
    write_errors,
)
from tests.support.database.playing import Play
from tests.support.database.roles import DOCUMENTDB, MONGOS, PRIMARY, SECONDARY, STANDALONE
from tests.support.database.server import PlayedDatabase

Client = MongoClient[dict[str, Any]]
Documents = Any


@contextmanager
def connected(database: PlayedDatabase, **options: object) -> Iterator[Client]:
    with Client(database.uri(**options)) as client:
        yield client


def test_a_driver_takes_it_for_what_it_plays(play: Play) -> None:
    for role, is_mongos, is_primary, has_set in [
        (MONGOS, True, False, False),
        (PRIMARY, False, True, True),
        (STANDALONE, False, True, False),
        (DOCUMENTDB, True, False, False),
    ]:
        with connected(play(role)) as client:
            assert client.admin.command("ping")["ok"] == 1
            assert client.is_mongos == is_mongos
            assert client.is_primary == (is_primary or is_mongos)
            assert client.topology_description.has_writable_server()
            assert (client.topology_description.replica_set_name is not None) == has_set
            assert client.server_info()["version"] == "7.0.0"
    with connected(play(SECONDARY), directConnection="true") as client:
        assert not client.is_primary
        with pytest.raises(NotPrimaryError):
            client.a.b.insert_one({})


def test_a_cluster_tells_its_time_and_a_standalone_does_not(play: Play) -> None:
    database = play(MONGOS)
    with connected(database) as client:
        before = client.admin.command("ping")["operationTime"]
        now = database.clock.tick()
        reply = client.admin.command("ping")
        assert reply["operationTime"] == reply["$clusterTime"]["clusterTime"] == now > before
    with connected(play(STANDALONE)) as client:
        assert client.admin.command("ping").keys() == {"ok"}


def test_what_is_planted_is_answered_once_or_always_or_when_it_applies(play: Play) -> None:
    database = play(MONGOS)
    database.always("find", cursor("a.b", {"_id": 0}))
    database.answer("find", error(8000, "first"), cursor("a.b", {"_id": 2}))
    database.answer("find", error(91, "last", "Odd"), when=lambda asked: asked["find"] == "c")
    with connected(database, retryReads="false") as client:
        with pytest.raises(OperationFailure, match="first") as failure:
            client.a.b.find_one()
        assert failure.value.code == 8000
        assert client.a.b.find_one() == {"_id": 2}
        assert [client.a.b.find_one() for _ in range(2)] == [{"_id": 0}] * 2
        with pytest.raises(AutoReconnect, match="last") as failed:
            client.a.c.find_one()
        assert failed.value.has_error_label("Odd")
        assert client.a.c.find_one() == {"_id": 0}
    assert [asked["find"] for asked in database.commands("find")] == list("bbbbcc")


def test_an_answer_may_change_what_the_real_database_says(play: Play) -> None:
    database = play(PRIMARY, forward=True)

    async def odd(exchange: Exchange) -> Reply:
        reply = await exchange.forward()
        reply["cursor"]["firstBatch"].append({"_id": "planted"})
        return reply

    with connected(database) as client, dropped(client) as documents:
        documents.insert_many([{"_id": n} for n in range(5)])
        database.answer("find", odd)
        assert [found["_id"] for found in documents.find()] == [*range(5), "planted"]
        assert [found["_id"] for found in documents.find(batch_size=2)] == [*range(5)]


def test_some_statements_of_a_bulk_may_fail(play: Play) -> None:
    database = play(MONGOS)
    database.answer("insert", write_errors({1: 133, 2: 11000}))
    with connected(database) as client:
        with pytest.raises(BulkWriteError) as failure:
            client.a.b.insert_many([{"_id": n} for n in range(4)], ordered=False)
    details = failure.value.details
    assert [(fault["index"], fault["code"]) for fault in details["writeErrors"]] == [
        (1, 133),
        (2, 11000),
    ]
    assert details["nInserted"] == 2


def test_a_connection_may_break_before_or_after_the_write(play: Play) -> None:
    database = play(PRIMARY, forward=True)
    with connected(database) as client, dropped(client) as documents:
        database.answer("insert", broken, broken_after)
        for id in ("before", "after"):
            with pytest.raises(AutoReconnect):
                documents.insert_one({"_id": id})
        assert [found["_id"] for found in documents.find()] == ["after"]


async def test_an_answer_may_wait_for_a_gate(play: Play) -> None:
    database = play(PRIMARY, forward=True)
    with connected(database) as client, dropped(client) as documents:
        before, after = Gate(), Gate()
        database.answer("insert", before.before(forward), after.after(forward))
        for gate, is_done in ((before, False), (after, True)):
            inserting = asyncio.create_task(
                asyncio.to_thread(documents.insert_one, {"_id": is_done})
            )
            await gate.reached()
            assert not inserting.done()
            assert documents.count_documents({"_id": is_done}) == is_done
            gate.open()
            await inserting


def test_a_planted_answer_that_raises_fails_the_test(play: Play) -> None:
    database = play(MONGOS)

    def wrong(exchange: Exchange) -> Reply:
        raise KeyError(exchange.name)

    database.answer("find", wrong)
    with connected(database, retryReads="false") as client, pytest.raises(AutoReconnect):
        client.a.b.find_one()
    with pytest.raises(AssertionError, match="KeyError"):
        database.check()
    database.faults.clear()


def test_errors_have_the_labels_that_mongodb_gives_them(play: Play) -> None:
    for role, code, expected in [
        (PRIMARY, 189, {"RetryableWriteError"}),
        (PRIMARY, 133, set()),
        (MONGOS, 189, set()),
    ]:
        database = play(role)
        database.always("insert", error(code))
        with connected(database, retryWrites="true") as client:
            with pytest.raises((OperationFailure, AutoReconnect)) as failure:
                client.a.b.insert_one({})
            assert labels_of(failure.value) == expected
            with pytest.raises((OperationFailure, AutoReconnect)) as failure:
                with client.start_session() as session, session.start_transaction():
                    client.a.b.insert_one({}, session=session)
            transient = code != 133
            assert failure.value.has_error_label("TransientTransactionError") == transient
    database = play(PRIMARY)
    database.answer("find", error(6, "planted", "Odd"), error(6, errorLabels=[]))
    with connected(database, retryReads="false") as client:
        for expected in ({"Odd"}, set()):
            with pytest.raises(OperationFailure) as failed:
                client.a.b.find_one()
            assert labels_of(failed.value) == expected


def labels_of(error: PyMongoError) -> set[str]:
    known = {"RetryableWriteError", "TransientTransactionError", "Odd"}
    return {label for label in known if error.has_error_label(label)}


@contextmanager
def dropped(client: Client) -> Iterator[Documents]:
    """A collection of the real database that is dropped in the end."""
    documents = client["stuff_test_played"][f"c{id(client)}"]
    try:
        yield documents
    finally:
        documents.drop()
