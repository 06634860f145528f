"""Histories of many clients on few documents: each could be that of one document, used by one after
the other."""

import asyncio
import math
import random
import time
from collections import defaultdict
from dataclasses import replace
from itertools import count

import pytest
from httpx import AsyncClient

from service.documents.ids import Id
from service.store.batching import bounds
from service.store.batching.lane import Operation
from service.store.batching.reads import Reads
from tests.support.applications import Application
from tests.support.linearizability import ANY, Event, is_linearizable
from tests.support.linearizability import Operation as Kind
from tests.support.patching import update

CLIENTS, DOCUMENTS, REQUESTS = 32, 6, 16
OPERATIONS: list[Kind] = ["put", "get", "delete"]


async def record(
    services: list[AsyncClient], seed: int, clients: int = CLIENTS
) -> dict[str, list[Event]]:
    """What the clients of the services did and were answered, by document."""
    history: dict[str, list[Event]] = defaultdict(list)
    values = count()

    async def use(http: AsyncClient, chance: random.Random) -> None:
        for _ in range(REQUESTS):
            id = str(chance.randrange(DOCUMENTS))
            value = answer = None
            operation = chance.choices(OPERATIONS, [4, 5, 1])[0]
            start = time.perf_counter()
            match operation:
                case "put":
                    value = next(values)
                    if chance.random() < 0.3:  # which does the same here
                        body, path = {"$set": {"value": value}}, f"/stuff/{id}?upsert=true"
                        response = await update(http, body, path)
                    else:
                        response = await http.put(f"/stuff/{id}", json={"value": value})
                    answer = {201: True, 200: False}[response.status_code]
                case "get":
                    response = await http.get(f"/stuff/{id}")
                    answer = response.json()["value"] if response.is_success else None
                    assert response.status_code in (200, 404)
                case "delete":
                    response = await http.delete(f"/stuff/{id}")
                    answer = {204: True, 404: False}[response.status_code]
            history[id].append(Event(start, time.perf_counter(), operation, value, answer))

    async with asyncio.TaskGroup() as group:
        for number in range(clients):
            http = services[number % len(services)]
            group.create_task(use(http, random.Random(f"{seed} {number}")))
    return history


def is_sound(history: dict[str, list[Event]]) -> bool:
    return all(is_linearizable(events) for events in history.values())


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("limits", [{}, {"MAX_COUNT": 3, "ROUND_TRIPS": 2}])
async def test_histories_of_two_services_are_linearizable(
    application: Application,
    limits: dict[str, int],
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in limits.items():
        monkeypatch.setattr(bounds, name, value)
    async with application() as first, application() as second:
        history = await record([first, second], seed)
    assert sum(map(len, history.values())) == CLIENTS * REQUESTS
    assert is_sound(history)


async def test_a_read_that_joined_a_round_trip_too_late_would_be_found(
    client: AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    under_way: dict[Id, Operation[bytes | None]] = {}
    next_batch, find = Reads.next_batch, Reads.find

    def remembering(reads: Reads) -> list[Operation[bytes | None]]:
        batch = next_batch(reads)
        under_way.update({operation.id: operation for operation in batch})
        return batch

    async def joining(reads: Reads, id: str) -> bytes | None:
        operation = under_way.get(id)
        if operation is not None and not operation.abandoned:
            return await reads.wait(operation)
        return await find(reads, id)

    monkeypatch.setattr(Reads, "next_batch", remembering)
    monkeypatch.setattr(Reads, "find", joining)
    for seed in range(10):  # a history is sound by chance, one in ten
        if not is_sound(await record([client], seed, clients=20)):
            return
    pytest.fail("The planted fault was not found.")


PUT_1 = Event(0, 1, "put", 1, True)


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([PUT_1, Event(2, 3, "get", None, 1)], True),
        ([PUT_1, Event(2, 3, "get", None, None)], False),  # stale
        ([PUT_1, Event(0.5, 3, "get", None, None)], True),  # at the same time
        ([PUT_1, Event(0.5, 3, "put", 2, True)], False),  # created twice
        ([PUT_1, Event(2, 3, "delete", None, True), Event(2, 3, "delete", None, True)], False),
        ([PUT_1, Event(2, 3, "delete", None, True), Event(2, 3, "delete", None, False)], True),
        # Back and forth: seen, and then not seen any more.
        (
            [
                PUT_1,
                Event(2, 9, "put", 2, False),
                Event(3, 4, "get", None, 2),
                Event(5, 6, "get", None, 1),
            ],
            False,
        ),
        ([PUT_1, Event(2, 3, "create", 2, False), Event(4, 5, "get", None, 1)], True),
        ([PUT_1, Event(2, 3, "create", 2, True)], False),
        ([PUT_1, Event(2, 3, "replace", 2, True, 1), Event(4, 5, "get", None, 2)], True),
        # Both have seen the same.
        ([PUT_1, Event(2, 9, "replace", 2, True, 1), Event(2, 9, "replace", 3, True, 1)], False),
        ([PUT_1, Event(2, 9, "replace", 2, True, 1), Event(2, 9, "replace", 3, False, 1)], True),
        ([Event(0, 1, "patch", 1, False), Event(2, 3, "get", None, None)], True),
        ([PUT_1, Event(2, 3, "patch", 2, True), Event(4, 5, "get", None, 1)], False),
        ([Event(0, 1, "put", 1, ANY), Event(2, 3, "get", None, None)], False),
        # What nobody has seen is overwritten, and later overwrites.
        (
            [
                PUT_1,
                Event(2, 3, "put", 2, False),
                Event(4, 20, "put", 3, False),
                Event(5, 6, "put", 4, False),
                Event(7, 8, "get", None, 4),
                Event(9, 10, "replace", 5, False, 4),
            ],
            True,
        ),
        # Never answered: it may have happened, or not.
        ([PUT_1, Event(2, math.inf, "put", 2), Event(5, 6, "get", None, 2)], True),
        ([PUT_1, Event(2, math.inf, "put", 2), Event(5, 6, "get", None, 1)], True),
        (
            [
                PUT_1,
                Event(2, math.inf, "put", 2),
                Event(5, 6, "get", None, 2),
                Event(7, 8, "get", None, 1),
            ],
            False,
        ),
    ],
)
def test_the_checker_tells_what_can_have_happened(history: list[Event], expected: bool) -> None:
    assert is_linearizable(history) is expected


GIVEN_UP = Event(2, math.inf, "put", 2, given_up=3)
REPLACED = Event(4, 5, "put", 3, False)  # by a later write, which was acknowledged


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        ([PUT_1, GIVEN_UP, REPLACED, Event(6, 7, "get", None, 3)], True),
        ([PUT_1, GIVEN_UP, REPLACED, Event(6, 7, "get", None, 2)], False),
        # Before the other one, however late: while that waits.
        ([PUT_1, GIVEN_UP, Event(4, 9, "put", 3, False), Event(5, 6, "get", None, 2)], True),
        ([PUT_1, GIVEN_UP, Event(6, 7, "get", None, 2), Event(8, 9, "get", None, 2)], True),
        # The other one had started when this one was given up: either may be the last.
        ([PUT_1, GIVEN_UP, Event(2.5, 5, "put", 3, False), Event(6, 7, "get", None, 2)], True),
        # The other one was not acknowledged, or has changed nothing, or read.
        ([PUT_1, GIVEN_UP, Event(4, math.inf, "put", 3), Event(6, 7, "get", None, 2)], True),
        ([PUT_1, GIVEN_UP, Event(4, 5, "create", 3, False), Event(6, 7, "get", None, 2)], True),
        ([PUT_1, GIVEN_UP, Event(4, 5, "get", None, 1), Event(6, 7, "get", None, 2)], True),
        # Another kind of write was given up, or acknowledged.
        (
            [
                PUT_1,
                Event(2, math.inf, "delete", given_up=3),
                REPLACED,
                Event(6, 7, "get", None, None),
            ],
            False,
        ),
        (
            [PUT_1, GIVEN_UP, Event(4, 5, "patch", 3, True), Event(6, 7, "delete", None, True)],
            True,
        ),
        (
            [PUT_1, GIVEN_UP, Event(4, 5, "delete", None, True), Event(6, 7, "get", None, 2)],
            False,
        ),
        # What another one has seen tells it too.
        ([PUT_1, GIVEN_UP, REPLACED, Event(6, 7, "replace", 4, True, 2)], False),
        # Of two that were given up, one could still happen.
        (
            [
                PUT_1,
                GIVEN_UP,
                REPLACED,
                Event(4.5, math.inf, "put", 4, given_up=6),
                Event(7, 8, "get", None, 4),
            ],
            True,
        ),
        # The same, and nobody has seen their values.
        (
            [
                PUT_1,
                GIVEN_UP,
                REPLACED,
                Event(4.5, math.inf, "put", 4, given_up=6),
                Event(7, 8, "replace", 5, False, 3),
            ],
            True,
        ),
        ([PUT_1, GIVEN_UP, REPLACED, Event(7, 8, "replace", 5, False, 3)], False),
    ],
)
def test_a_write_that_was_given_up_must_not_undo_a_later_one(
    history: list[Event], expected: bool
) -> None:
    assert is_linearizable(history) is expected
    endless = [replace(event, given_up=math.inf) for event in history]
    assert is_linearizable(endless)  # this alone does not find it
