"""Batching: what shares a round trip, and what never does.

A gate in front of the database steers the timing; behind it is the real engine.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import bson
import pytest
from pymongo import InsertOne
from pymongo.collection import Collection

from service.errors import DatabaseUnavailable, WriteConflict
from service.mongo.access import CollectionAccess
from service.mongo.database import open_database
from service.settings import Settings
from service.store.batching import Batching
from service.store.batching.reads import Reads
from service.store.batching.writes import Writes
from service.store.turns import Turns
from tests.support.gating import Gate, start
from tests.support.patience import patient

Documents = Collection[dict[str, Any]]


@pytest.fixture
async def gate(monkeypatch: pytest.MonkeyPatch) -> Gate:
    return Gate(monkeypatch)


@pytest.fixture
def limits() -> dict[str, Any]:
    """Bounds and settings that a test wants to be others."""
    return {"round_trips": 1}


@pytest.fixture
async def database(settings: Settings, limits: dict[str, Any]) -> AsyncIterator[CollectionAccess]:
    assert settings.mongodb_uri is not None
    name = settings.collection
    async with open_database(settings, settings.mongodb_uri.get_secret_value(), [name]) as database:
        yield CollectionAccess(database, name)


@pytest.fixture
async def tasks() -> AsyncIterator[asyncio.TaskGroup]:
    async with asyncio.TaskGroup() as tasks:
        yield tasks


@pytest.fixture
async def batching(
    settings: Settings, limits: dict[str, Any], tasks: asyncio.TaskGroup
) -> Batching:
    changes = {name: limits[name] for name in limits.keys() & Settings.model_fields.keys()}
    bounds = {name: limits[name] for name in limits.keys() - changes.keys()}
    return Batching(settings.model_copy(update=changes), tasks, **bounds)


@pytest.fixture
async def reads(database: CollectionAccess, batching: Batching) -> Reads:
    return Reads(database, batching)


@pytest.fixture
async def writes(database: CollectionAccess, batching: Batching) -> Writes:
    return Writes(database, Turns(database), batching)


def document(id: str, n: int = 0, size: int = 0) -> bytes:
    return bson.encode({"_id": id, "n": n, "text": "x" * size})


async def test_reads_that_wait_share_a_round_trip_and_those_of_one_id_an_operation(
    reads: Reads, gate: Gate, collection: Documents
) -> None:
    collection.insert_one({"_id": "b", "n": 1})
    first = await start(reads.find("a"))
    await gate.holds(1)
    others = await start(*(reads.find(id) for id in "bcbb"))
    gate.open()
    found = [await task for task in first + others]
    assert gate.sent == [["a"], ["b", "c"]]
    assert [value and bson.decode(value)["n"] for value in found] == [None, 1, None, 1, 1]


async def test_a_read_never_joins_a_round_trip_that_was_sent_before_it_came(
    reads: Reads, gate: Gate, collection: Documents
) -> None:
    [early] = await start(reads.find("a"))
    await gate.holds(1)
    collection.insert_one({"_id": "a", "n": 1})  # acknowledged
    [late] = await start(reads.find("a"))
    gate.open()
    await early
    assert bson.decode(await late)["n"] == 1
    assert gate.sent == [["a"], ["a"]]


async def test_writes_of_one_id_go_one_after_the_other_in_their_order(
    writes: Writes, gate: Gate, collection: Documents
) -> None:
    started = await start(
        writes.put("a", document("a", 1)),
        writes.put("b", document("b", 1)),
        writes.put("a", document("a", 2)),
        writes.delete("a"),
        writes.put("a", document("a", 3)),
        writes.delete("c"),
        writes.delete("b"),
    )
    gate.open()
    answers = [await task for task in started]
    assert answers == [True, True, False, True, True, False, True]
    assert [batch for batch in gate.sent if "a" in batch] == [["a", "b"], ["a"], ["a"], ["a"]]
    assert list(collection.find({}, {"n": 1})) == [{"_id": "a", "n": 3}]


@pytest.mark.parametrize("limits", [{"round_trips": 1, "max_count": 3}])
async def test_the_operations_of_a_round_trip_are_bounded(
    reads: Reads, writes: Writes, gate: Gate, limits: dict[str, Any]
) -> None:
    gate.open()
    ids = "abcdefgh"
    tasks = await start(*(reads.find(id) for id in ids))
    tasks += await start(*(writes.put(id, document(id)) for id in ids))
    for task in tasks:
        await task
    assert sorted(map(len, gate.sent)) == [2, 2, 3, 3, 3, 3]


@pytest.mark.parametrize("limits", [{"round_trips": 1, "max_bytes": 2500}])
async def test_the_bytes_of_a_round_trip_are_bounded_beyond_one_document(
    writes: Writes, gate: Gate, limits: dict[str, Any]
) -> None:
    gate.open()
    sizes = {"a": 1000, "b": 1000, "c": 1000, "d": 9000, "e": 10}
    tasks = await start(*(writes.put(id, document(id, size=size)) for id, size in sizes.items()))
    assert [await task for task in tasks] == [True] * len(sizes)
    assert gate.sent == [["a", "b"], ["c"], ["d"], ["e"]]


@pytest.mark.parametrize("limits", [{"round_trips": 2, "max_count": 1}])
async def test_round_trips_are_bounded_and_a_full_one_does_not_wait(
    reads: Reads, gate: Gate, limits: dict[str, Any]
) -> None:
    tasks = await start(*(reads.find(id) for id in "abcd"))
    await gate.holds(2)
    gate.open()
    for task in tasks:
        await task
    assert gate.sent == [["a"], ["b"], ["c"], ["d"]]


@pytest.mark.parametrize("limits", [{"round_trips": 2}])
async def test_operations_behind_a_slow_round_trip_get_another_one(
    reads: Reads, gate: Gate, limits: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.store.batching.lane.OVERDUE", 60.0)
    tasks = await start(*(reads.find(id) for id in "ab"))
    await gate.holds(1)
    tasks += await start(reads.find("c"))
    await gate.holds(1)  # fewer wait than are served
    tasks += await start(reads.find("d"))
    await gate.holds(2)
    gate.open()
    for task in tasks:
        await task
    assert gate.sent == [["a", "b"], ["c", "d"]]


async def test_a_cancelled_request_affects_only_itself(
    reads: Reads, writes: Writes, gate: Gate, collection: Documents
) -> None:
    """Reads and writes go beside each other, so here they are of different documents."""
    under_way = await start(reads.find("a"), reads.find("a"), reads.find("b"))
    under_way += await start(writes.put("x", document("x", 1)), writes.put("y", document("y", 1)))
    await gate.holds(2)
    waiting = await start(reads.find("c"), reads.find("c"), reads.find("d"))
    waiting += await start(writes.put("x", document("x", 2)), writes.put("x", document("x", 3)))
    leaving = [under_way[0], under_way[3], waiting[0], waiting[2], waiting[3]]
    for task in leaving:
        task.cancel()
    gate.open()
    staying = [task for task in under_way + waiting if task not in leaving]
    assert [await task for task in staying] == [None, None, True, None, False]
    for task in leaving:
        with pytest.raises(asyncio.CancelledError):
            await task
    # The read of d and the second write of x were not sent: nobody waited for them any more.
    assert sorted(gate.sent) == [["a", "b"], ["c"], ["x"], ["x", "y"]]
    assert {found["_id"]: found["n"] for found in collection.find()} == {"x": 3, "y": 1}


@pytest.mark.parametrize("limits", [{"round_trips": 1, "operation_timeout": patient(0.5)}])
async def test_nobody_waits_longer_than_an_operation_may_take(
    reads: Reads, writes: Writes, gate: Gate, collection: Documents, limits: dict[str, Any]
) -> None:
    tasks = await start(reads.find("a"), writes.put("a", document("a")), writes.delete("b"))
    await gate.holds(3)
    tasks += await start(reads.find("b"), writes.put("a", document("a", 2)))
    async with asyncio.timeout(patient(5)):
        for task in tasks:
            with pytest.raises(DatabaseUnavailable):
                await task
    gate.open()
    assert await reads.find("c") is None
    await writes.delete("b")
    assert gate.sent.count(["a"]) == 2  # what had waited was not sent
    assert gate.sent.count(["b"]) == 2


@pytest.mark.parametrize(("method", "others"), [("replace_one", []), ("bulk_write", ["b", "c"])])
async def test_the_later_of_two_concurrent_upserts_replaces(
    writes: Writes,
    database: CollectionAccess,
    collection: Documents,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    others: list[str],
) -> None:
    motor: Any = database.collection

    async def meet(*_: object, **__: object) -> None:
        monkeypatch.undo()
        collection.insert_one({"_id": "a", "by": "the other"})
        # Raises what an upsert raises then.
        if method == "replace_one":
            await motor.insert_one({"_id": "a"})
        else:
            collection.insert_many([{"_id": id, "by": "the other"} for id in others])
            await motor.bulk_write([InsertOne({"_id": id}) for id in ["a", *others]], ordered=False)

    monkeypatch.setattr(motor, method, meet)
    tasks = await start(*(writes.put(id, document(id, 1)) for id in ["a", *others]))
    assert [await task for task in tasks] == [False] * len(tasks)
    assert [found["n"] for found in collection.find()] == [1] * len(tasks)


async def test_an_upsert_is_not_retried_forever(
    writes: Writes,
    database: CollectionAccess,
    collection: Documents,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    motor: Any = database.collection
    collection.insert_one({"_id": "a"})

    async def meet(*_: object, **__: object) -> None:
        await motor.insert_one({"_id": "a"})

    monkeypatch.setattr(motor, "replace_one", meet)
    with pytest.raises(WriteConflict):
        await writes.put("a", document("a", 1))
