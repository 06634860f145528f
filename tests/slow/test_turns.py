"""Writes of one id take effect in the order of their arrival, also when one of them is given up."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
from httpx import AsyncClient, Response

from service.mongo.database import Database
from service.mongo.limits import MARGIN
from service.store.turns import Turns
from tests.support.applications import Application
from tests.support.failing import FailingEngine
from tests.support.patience import TIMEOUT, lasting, patient
from tests.support.problems import assert_problem
from tests.support.requests import NDJSON
from tests.support.turns import (
    ALL,
    LIMIT,
    WRITES,
    delete_all,
    put_until_acknowledged,
    send,
    until_acknowledged,
)


@pytest.fixture
async def client(application: Application, engine: FailingEngine) -> AsyncIterator[AsyncClient]:
    async with application(
        mongodb_uri=engine.uri, database="demo", operation_timeout=LIMIT
    ) as client:
        yield client


async def give_up(tasks: list["asyncio.Task[Response]"], ending: str) -> None:
    """Wait until the requests are answered 503, or leave while they are on their way."""
    if ending == "time":
        for task in tasks:
            assert_problem(await task, 503, "database-unavailable")
        return
    await asyncio.sleep(LIMIT / 2)  # they are on their way
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.mark.parametrize("ending", ["time", "cancellation"])
async def test_a_write_that_was_given_up_does_not_undo_a_later_one(
    client: AsyncClient, engine: FailingEngine, ending: str
) -> None:
    for name in WRITES:
        await client.put(f"/stuff/{name}", json={"n": 0})
    blocked = LIMIT * 3
    engine.block(blocked, ["update", "findAndModify", "delete", "insert"], len(WRITES))
    start = time.monotonic()
    await give_up([asyncio.create_task(send(client, name)) for name in WRITES], ending)
    await asyncio.gather(*(put_until_acknowledged(client, name) for name in WRITES))
    await asyncio.sleep(max(0.0, start + blocked + 0.5 - time.monotonic()))
    found = {document["_id"]: document["n"] for document in engine.collection.find()}
    assert found == dict.fromkeys(WRITES, 2)


async def test_every_later_write_waits_for_one_that_was_given_up(
    client: AsyncClient, engine: FailingEngine
) -> None:
    for name in WRITES:
        await client.put(f"/stuff/{name}", json={"n": 0})
    blocked = LIMIT * 3
    engine.block(blocked, ["insert"], 1)
    start = time.monotonic()
    lines = "\n".join(f'{{"_id": "{name}", "n": 9}}' for name in WRITES)
    load = await client.post("/stuff", content=lines, headers=NDJSON)
    assert_problem(load, 503, "database-unavailable")
    for response in await asyncio.gather(*(send(client, name) for name in WRITES)):
        if time.monotonic() - start < blocked:
            assert_problem(response, 503, "database-unavailable")
    other = await client.put("/stuff/other", json={})
    assert other.status_code == 201


@pytest.mark.parametrize("ending", ["time", "cancellation"])
async def test_a_deletion_by_a_filter_that_was_given_up_deletes_nothing_later(
    client: AsyncClient, engine: FailingEngine, ending: str
) -> None:
    await client.put("/stuff/old", json={"n": 1})
    blocked = LIMIT * 3
    engine.block(blocked, ["delete"], 1)
    start = time.monotonic()
    await give_up([asyncio.create_task(delete_all(client))], ending)
    new, lines = {"n": 2}, '{"_id": "load", "n": 2}\n{"_id": "more", "n": 2}'
    await asyncio.gather(
        put_until_acknowledged(client, "put"),
        until_acknowledged(client, "POST", "/stuff", json=new),
        until_acknowledged(client, "POST", "/stuff", content=lines, headers=NDJSON),
        until_acknowledged(client, "PUT", "/stuff/if", json=new, headers={"If-None-Match": "*"}),
    )
    await asyncio.sleep(max(0.0, start + blocked + 0.5 - time.monotonic()))
    found = {document["_id"] for document in engine.collection.find()}
    assert len(found) >= 5  # a POST may be carried out more than once
    assert {"put", "load", "more", "if"} <= found
    assert "old" not in found


@pytest.mark.parametrize("ending", ["time", "cancellation"])
async def test_a_deletion_by_a_filter_does_not_overtake_a_write_that_was_given_up(
    client: AsyncClient, engine: FailingEngine, ending: str
) -> None:
    writes = [name for name in WRITES if not name.startswith("delete")]
    for name in writes:
        await client.put(f"/stuff/{name}", json={"n": 0})
    blocked = LIMIT * 3
    engine.block(blocked, ["update", "findAndModify", "insert"], len(writes))
    start = time.monotonic()
    await give_up([asyncio.create_task(send(client, name)) for name in writes], ending)
    await until_acknowledged(client, "DELETE", "/stuff", params=ALL)
    await asyncio.sleep(max(0.0, start + blocked + 0.5 - time.monotonic()))
    assert list(engine.collection.find()) == []


async def test_writes_do_not_wait_for_a_deletion_by_a_filter_that_is_not_given_up(
    application: Application, engine: FailingEngine
) -> None:
    async with application(
        mongodb_uri=engine.uri, database="demo", operation_timeout=TIMEOUT
    ) as client:
        engine.block(lasting(3.0), ["delete"], 1)
        deletion = asyncio.create_task(delete_all(client))
        await asyncio.sleep(0.1)  # it is on its way
        assert (await client.put("/stuff/a", json={"n": 1})).status_code == 201
        load = await client.post("/stuff", content='{"_id": "b"}', headers=NDJSON)
        assert load.status_code == 200
        assert not deletion.done()
        assert (await deletion).is_success


async def test_a_write_without_an_answer_is_waited_for_until_its_deadline(
    client: AsyncClient, engine: FailingEngine
) -> None:
    """As MongoDB does, which ends a write at its `maxTimeMS`, but not because nobody listens."""
    database: Database = client._transport.app.state.database  # type: ignore[attr-defined]
    database.limits.are_ignored = False  # the driver ends the call in time
    await client.put("/stuff/put", json={"n": 0})
    blocked = LIMIT + MARGIN / 2
    engine.block(blocked, ["update"], 1)
    start = time.monotonic()
    assert_problem(await send(client, "put"), 503, "database-unavailable")
    await put_until_acknowledged(client, "put")
    assert time.monotonic() - start > blocked
    assert [document["n"] for document in engine.collection.find()] == [2]


async def test_writes_that_stop_waiting_leave_nothing_behind(
    client: AsyncClient, engine: FailingEngine
) -> None:
    turns: Turns = client._transport.app.state.collections["stuff"].points._turns  # type: ignore[attr-defined]
    engine.block(LIMIT * 3, ["update"], 1)
    requests = [client.put("/stuff/put", json={}) for _ in range(30)]
    requests += [
        client.delete("/stuff/put"),
        client.delete("/stuff/put", headers={"If-Match": "*"}),
    ]
    for response in await asyncio.gather(*requests):
        assert_problem(response, 503, "database-unavailable")
    assert turns._waiting == {"put": {}}
    assert_problem(await delete_all(client), 503, "database-unavailable")
    assert turns._waiting == {"put": {}}
    await put_until_acknowledged(client, "put")
    assert turns._waiting == {}
    engine.block(LIMIT * 3, ["delete"], 1)
    for response in await asyncio.gather(delete_all(client), delete_all(client)):
        assert response.is_success or response.status_code == 503
    for response in await asyncio.gather(*(send(client, name) for name in WRITES)):
        assert_problem(response, 503, "database-unavailable")
    assert (turns._holds, len(turns._held), turns._waiting) == (1, 0, {})
    await put_until_acknowledged(client, "put")
    assert (turns._holds, len(turns._held), turns._waiting) == (0, 0, {})


async def test_the_service_stops_although_a_write_hangs(
    application: Application, engine: FailingEngine
) -> None:
    async with application(mongodb_uri=engine.uri, operation_timeout=LIMIT) as client:
        engine.block(lasting(60.0), ["update", "insert"], 3)
        for name in ("put", "put-if", "load"):
            await send(client, name)
        stopped = time.monotonic()
    assert time.monotonic() - stopped < patient(10.0)
