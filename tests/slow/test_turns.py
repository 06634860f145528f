"""Writes of one id take effect in the order of their arrival, also when one of them is given up."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
from httpx import AsyncClient, Response
from pymongo import MongoClient
from pymongo.errors import BulkWriteError, OperationFailure, WriteError

from service.mongo import exchange
from service.mongo.database import Database
from service.mongo.faults import may_still_land
from service.mongo.limits import MARGIN
from service.store.turns import Turns
from tests.support.applications import Application
from tests.support.database.answers import Answer, Gate, broken, error, forward, write_errors
from tests.support.database.playing import Play
from tests.support.database.roles import MONGOS, PRIMARY, Role
from tests.support.failing import FailingEngine
from tests.support.patience import TIMEOUT, patient
from tests.support.problems import assert_problem
from tests.support.requests import JSON, MERGE, NDJSON, Sent

LIMIT = patient(1.0)  # seconds: STUFF_OPERATION_TIMEOUT
ALL = {"filter": '{"n": {"$gte": 0}}'}
WRITES: dict[str, Sent] = {
    "put": ("PUT", "/stuff/put", JSON, '{"n": 1}'),
    "put-if": ("PUT", "/stuff/put-if", JSON | {"If-Match": "*"}, '{"n": 1}'),
    "patch": ("PATCH", "/stuff/patch", MERGE, '{"n": 1}'),
    "delete": ("DELETE", "/stuff/delete", {}, None),
    "delete-if": ("DELETE", "/stuff/delete-if", {"If-Match": "*"}, None),
    "load": ("POST", "/stuff", NDJSON, '{"_id": "load", "n": 1}'),
}


@pytest.fixture
async def client(application: Application, engine: FailingEngine) -> AsyncIterator[AsyncClient]:
    async with application(
        mongodb_uri=engine.uri, database="demo", operation_timeout=LIMIT
    ) as client:
        yield client


async def send(client: AsyncClient, name: str) -> Response:
    method, path, headers, content = WRITES[name]
    return await client.request(method, path, headers=headers, content=content)


async def until_acknowledged(client: AsyncClient, *request: Any, **rest: Any) -> Response:
    """The answer to a request that is sent again while the answer is 503."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            response = await client.request(*request, **rest)
            # 412: it was carried out after its client had been answered 503.
            if response.is_success or response.status_code == 412:
                return response
            assert_problem(response, 503, "database-unavailable")
            await asyncio.sleep(0.02)


async def put_until_acknowledged(client: AsyncClient, id: str) -> None:
    await until_acknowledged(client, "PUT", f"/stuff/{id}", json={"n": 2})


async def delete_all(client: AsyncClient) -> Response:
    return await client.delete("/stuff", params=ALL)


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
    engine.block(blocked, ["update", "delete", "insert"], len(WRITES))
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
    engine.block(blocked, ["update", "insert"], len(writes))
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
        engine.block(patient(3.0), ["delete"], 1)
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
    turns: Turns = client._transport.app.state.collection.points._turns  # type: ignore[attr-defined]
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


@pytest.mark.parametrize(
    ("role", "answers"),
    [
        (PRIMARY, [broken, error(10107, errorLabels=[])]),
        (PRIMARY, [broken, write_errors({0: 133})]),
        (MONGOS, [error(6)]),
        (MONGOS, [write_errors({0: 89})]),
    ],
    ids=["command sent twice", "write sent twice", "shard lost by command", "shard lost by write"],
)
async def test_a_write_that_has_another_answer_or_none_is_waited_for_until_its_deadline(
    application: Application, play: Play, role: Role, answers: list[Answer]
) -> None:
    """The driver sent it twice, and the first may take effect after the second, which is answered;
    or mongos has lost the shard that may carry it out."""
    database = play(role, forward=True)
    uri = database.uri(retryWrites="true" if role is PRIMARY else "false")
    async with application(mongodb_uri=uri, operation_timeout=LIMIT) as client:
        for method, headers in (("PUT", {}), ("PUT", {"If-Match": "*"}), ("POST", NDJSON)):
            id = str(len(database.asked))
            await until_acknowledged(client, "PUT", f"/stuff/{id}", json={"n": 0})
            command = "insert" if method == "POST" else "update"
            before = len(database.commands(command))
            database.answer(command, *answers)
            path = "/stuff" if method == "POST" else f"/stuff/{id}"
            content = json.dumps({"_id": id, "n": 1} if method == "POST" else {"n": 1})
            given_up = await client.request(method, path, headers=headers, content=content)
            assert_problem(given_up, 503, "database-unavailable")
            first = [asked for asked in database.asked if asked.name == command][before]
            assert 0 < first.command["maxTimeMS"] <= LIMIT * 1000
            await put_until_acknowledged(client, id)
            last = [asked for asked in database.asked if asked.name == "update"][-1]
            assert last.time - first.time >= LIMIT + MARGIN / 2


@pytest.mark.parametrize(
    ("role", "answer", "query_timeout", "waits"),
    [
        (PRIMARY, broken, 600.0, LIMIT),
        (PRIMARY, broken, LIMIT / 2, LIMIT / 2),
        (MONGOS, error(6), 600.0, LIMIT),
        (MONGOS, write_errors({0: 89}), 600.0, LIMIT),
        (MONGOS, error(50), 600.0, 0.0),
    ],
    ids=["no answer", "no answer, lower limit", "shard lost", "write lost", "time limit"],
)
async def test_writes_wait_for_the_deadline_of_a_deletion_by_a_filter_without_an_answer(
    application: Application,
    play: Play,
    role: Role,
    answer: Answer,
    query_timeout: float,
    waits: float,
) -> None:
    database = play(role, forward=True)
    async with application(
        mongodb_uri=database.uri(), operation_timeout=LIMIT, query_timeout=query_timeout
    ) as client:
        await client.put("/stuff/a", json={"n": 0})
        database.answer("delete", answer)
        given_up = await delete_all(client)
        assert given_up.status_code in (503, 504)
        await put_until_acknowledged(client, "b")
        [deletion] = [asked for asked in database.asked if asked.name == "delete"]
        assert 0 < deletion.command["maxTimeMS"] <= min(LIMIT, query_timeout) * 1000
        last = [asked for asked in database.asked if asked.name == "update"][-1]
        assert last.time - deletion.time >= waits + MARGIN / 2


async def test_a_deletion_by_a_filter_that_was_refused_is_not_waited_for(
    application: Application, play: Play
) -> None:
    """As by a database that is no primary any more: the driver sends it only once."""
    database = play(PRIMARY, forward=True)
    uri = database.uri(retryWrites="true")
    async with application(mongodb_uri=uri, operation_timeout=600) as client:
        database.answer("delete", error(10107))
        assert_problem(await delete_all(client), 503, "database-unavailable")
        async with asyncio.timeout(TIMEOUT):
            await put_until_acknowledged(client, "a")


@pytest.mark.parametrize("code", [6, 89, 202, 384, 9001])
def test_a_write_may_take_effect_if_mongos_has_lost_its_shard(code: int) -> None:
    """Whether mongos says so of the command or of one write."""
    reply = {"errmsg": "lost", "code": code, "index": 0}
    bulk = BulkWriteError({"writeErrors": [reply], "writeConcernErrors": []})
    for fault in (OperationFailure("lost", code, reply), WriteError("lost", code, reply), bulk):
        assert may_still_land(fault, driver_retries=False)


async def test_a_load_waits_for_a_lost_shard_whatever_the_other_lines_say(
    application: Application, play: Play
) -> None:
    database = play(MONGOS, forward=True)
    async with application(mongodb_uri=database.uri(), operation_timeout=LIMIT) as client:
        database.answer("insert", write_errors({0: 63, 1: 6}))
        sent = time.monotonic()
        load = await client.post("/stuff", content='{"_id": "a"}\n{"_id": "b"}', headers=NDJSON)
        assert_problem(load, 503, "database-unavailable")
        await put_until_acknowledged(client, "b")
        assert time.monotonic() - sent >= LIMIT + MARGIN / 2


async def test_a_transaction_that_takes_too_long_is_aborted(
    application: Application, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep its lock on the document for a minute."""
    monkeypatch.setattr(exchange, "MAX_INLINE_BYTES", 0)
    database, answer = play(PRIMARY, forward=True), Gate()
    uri = database.uri(retryWrites="true")
    async with application(mongodb_uri=uri, operation_timeout=LIMIT) as client:
        await client.put("/stuff/a", json={"n": 0})
        database.answer("update", answer.after(forward), when=lambda asked: "autocommit" in asked)
        given_up = await client.put("/stuff/a", json={"n": 1}, headers={"If-Match": "*"})
        assert_problem(given_up, 503, "database-unavailable")
        await database.until_asked("abortTransaction")
        await put_until_acknowledged(client, "a")
        assert (await client.get("/stuff/a")).json()["n"] == 2
        answer.open()


async def test_a_write_that_was_never_sent_is_not_waited_for(
    application: Application, free_port: int, engine_on_port: Any
) -> None:
    uri = f"mongodb://127.0.0.1:{free_port}/?retryWrites=true"
    engine = engine_on_port(free_port)
    with MongoClient[dict[str, Any]](uri) as mongo:
        mongo.admin.command("ping")
    async with application(
        mongodb_uri=uri, operation_timeout=600, server_selection_timeout=0.5
    ) as client:
        await client.put("/stuff/a", json={})
        engine.kill()
        engine.wait()
        await client.get("/stuff/a")  # the driver finds out
        assert_problem(await client.put("/stuff/a", json={}), 503, "database-unavailable")
        engine_on_port(free_port)
        async with asyncio.timeout(TIMEOUT):
            await put_until_acknowledged(client, "a")


async def test_the_service_stops_although_a_write_hangs(
    application: Application, engine: FailingEngine
) -> None:
    async with application(mongodb_uri=engine.uri, operation_timeout=LIMIT) as client:
        engine.block(patient(60.0), ["update", "insert"], 3)
        for name in ("put", "put-if", "load"):
            await send(client, name)
        stopped = time.monotonic()
    assert time.monotonic() - stopped < patient(10.0)
