"""Later writes wait for one that the database did not answer, if it may still take effect."""

import asyncio
import json
import time
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import BulkWriteError, OperationFailure, WriteError

from service.mongo import exchange
from service.mongo.faults import may_still_land
from service.mongo.limits import MARGIN
from tests.support.applications import Application
from tests.support.database.answers import Answer, Gate, broken, error, forward, write_errors
from tests.support.database.playing import Play
from tests.support.database.roles import MONGOS, PRIMARY, Role
from tests.support.patience import TIMEOUT
from tests.support.problems import assert_problem
from tests.support.requests import NDJSON
from tests.support.turns import (
    LIMIT,
    delete_all,
    put_until_acknowledged,
    until_acknowledged,
)


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
