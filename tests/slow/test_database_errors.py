"""What the database says went wrong, and what the client is told."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
from bson import Int64
from httpx import AsyncClient, Response
from pymongo.errors import OperationFailure, WriteError

from service.mongo.faults import translated
from tests.support.applications import Application
from tests.support.database.answers import cursor, write_errors
from tests.support.database.playing import Play
from tests.support.database.roles import PRIMARY
from tests.support.failing import FailingEngine
from tests.support.problems import assert_problem
from tests.support.requests import NDJSON, REQUESTS

TRANSIENT = [
    6, 7, 24, 63, 89, 91, 112, 133, 134, 150, 189, 262, 8000, 9001, 10107, 11600, 11602, 13435,
    13436, 14031,
]  # fmt: skip
COMMANDS = ["find", "update", "findAndModify", "insert", "delete", "aggregate"]


@pytest.fixture
async def client(application: Application, engine: FailingEngine) -> AsyncIterator[AsyncClient]:
    async with application(mongodb_uri=engine.uri, database="demo") as client:
        await client.put("/stuff/a", json={"n": 1})
        yield client


async def send_all(client: AsyncClient) -> list[Response]:
    return [
        await client.request(method, path, headers=headers, content=content)
        for method, path, headers, content in REQUESTS
    ]


async def test_a_transient_error_is_503_on_every_request(
    client: AsyncClient, engine: FailingEngine
) -> None:
    failures: list[dict[str, Any]] = [{"errorCode": code} for code in TRANSIENT]
    failures += [
        {"errorCode": 4711, "errorLabels": [label]}
        for label in ("RetryableWriteError", "TransientTransactionError", "RetryableError")
    ]
    for failure in failures:
        engine.fail(COMMANDS, 1000, **failure)
        for response in await send_all(client):
            assert_problem(response, 503, "database-unavailable")
            assert response.headers["retry-after"] == "1"
    engine.stop_failing()
    assert (await client.put("/stuff/a", json={})).status_code == 200


async def test_a_feature_that_the_engine_lacks_is_a_501_that_names_it(
    client: AsyncClient, engine: FailingEngine
) -> None:
    for code in (59, 115, 40324):
        engine.fail(COMMANDS, 1000, errorCode=code)
        for response in await send_all(client):
            problem = assert_problem(response, 501, "database-unsupported")
            assert f"(code {code})" in problem["detail"]


async def test_a_time_limit_is_504_of_a_query_and_503_of_anything_else(
    client: AsyncClient, engine: FailingEngine
) -> None:
    engine.fail(COMMANDS, 1000, errorCode=50)
    for (method, path, *_), response in zip(REQUESTS, await send_all(client), strict=True):
        is_query = path != "/stuff/a" and (method == "GET" or "filter" in path)
        if is_query and "fields" not in path:
            assert_problem(response, 504, "query-timeout")
        else:
            assert_problem(response, 503, "database-unavailable")


async def test_any_other_error_is_500_and_logged_with_its_code(
    client: AsyncClient, engine: FailingEngine, caplog: pytest.LogCaptureFixture
) -> None:
    for method, path, headers, content in REQUESTS:
        caplog.clear()
        engine.fail(COMMANDS, 1000, errorCode=4711)
        response = await client.request(method, path, headers=headers, content=content)
        assert_problem(response, 500, "internal-error")
        assert "(code 4711)" in caplog.text
        assert any(record.levelno == logging.ERROR for record in caplog.records)


@pytest.mark.parametrize("code", [91, 4711, 59])
async def test_a_load_that_fails_as_a_whole_reports_how_far_it_has_come(
    client: AsyncClient, engine: FailingEngine, code: int
) -> None:
    failed = asyncio.Event()

    async def lines() -> AsyncIterator[bytes]:
        yield b"[]\n"
        for n in range(1500):
            yield json.dumps({"_id": f"{n:04}"}).encode() + b"\n"
        while engine.collection.count_documents({"_id": {"$ne": "a"}}) < 1000:
            await asyncio.sleep(0.01)
        engine.fail(["insert", "update"], 1000, errorCode=code)
        failed.set()
        for n in range(1500, 4000):
            yield json.dumps({"_id": f"{n:04}"}).encode() + b"\n"

    response = await client.post("/stuff", content=lines(), headers=NDJSON)
    assert failed.is_set()
    problem = response.json()
    assert response.status_code == {91: 503, 4711: 500, 59: 501}[code]
    assert problem["failed"] == 1
    assert (problem["lines"], problem["created"]) == (1001, 1000)
    assert engine.collection.count_documents({"_id": {"$ne": "a"}}) == 1000


@pytest.mark.parametrize(
    ("code", "status"),
    [(121, 422), (91, 503), (50, 503), (2, 500), (4711, 500), (59, 501), (303, 501)],
)
def test_only_known_codes_are_faults_of_the_document(code: int, status: int) -> None:
    for kind in (WriteError, OperationFailure):
        assert translated(kind("no", code, {"errmsg": "no", "code": code})).status == status


@pytest.mark.parametrize("code", [7, 50, 91, 133, 14031])
async def test_a_transient_error_of_one_write_is_503_and_drops_no_line(
    application: Application, play: Play, code: int
) -> None:
    database = play(PRIMARY, forward=True)
    async with application(mongodb_uri=database.uri()) as client:
        for command in ("insert", "update"):  # most lines are new, and then they are not
            database.answer(command, write_errors({1: code}))
            lines = "[]\n" + "\n".join(f'{{"_id": "{n}"}}' for n in range(3))
            stopped = await client.post("/stuff", content=lines, headers=NDJSON)
            problem = assert_problem(stopped, 503, "database-unavailable")
            assert (problem["lines"], problem["failed"]) == (0, 0)
            assert (await client.post("/stuff", content=lines, headers=NDJSON)).status_code == 200
        for headers in ({}, {"If-Match": "*"}):
            database.answer("update", write_errors({0: code}))
            refused = await client.put("/stuff/0", json={}, headers=headers)
            assert_problem(refused, 503, "database-unavailable")


async def test_what_is_logged_of_a_write_that_failed_has_no_content(
    application: Application, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    database = play(PRIMARY, forward=True)
    async with application(mongodb_uri=database.uri()) as client:
        for code in (133, 9999):  # known and unknown
            database.answer("insert", write_errors({0: code}))
            line = b'{"_id": "a", "n": "secret"}'
            await client.post("/stuff", content=line, headers=NDJSON)
            assert f"{code}" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "message",
    [
        'E11000 duplicate key error collection: d.stuff index: email_1 dup key: { email: "x" }',
        "Duplicate key violation on the requested collection: Index 'email_1'",
    ],
)
async def test_a_duplicate_of_which_only_the_index_is_named_is_409(
    application: Application, play: Play, message: str
) -> None:
    database = play(PRIMARY, forward=True)
    async with application(mongodb_uri=database.uri()) as client:
        for command, headers in (("update", {}), ("insert", {"If-None-Match": "*"})):
            database.answer(command, write_errors({0: 11000}, message))
            refused = await client.put("/stuff/a", json={"email": "x"}, headers=headers)
            assert_problem(refused, 409, "duplicate-key")
        assert len(database.commands("update") + database.commands("insert")) == 2


async def test_a_read_that_is_not_finished_closes_its_cursor(
    application: Application, play: Play
) -> None:
    database = play(PRIMARY, forward=True)
    async with application(mongodb_uri=database.uri()) as client:
        await client.put("/stuff/a", json={})
        model = client._transport.app.state.database.models["stuff"]  # type: ignore[attr-defined]
        namespace = f"{model.get_motor_collection().full_name}"
        database.answer("find", cursor(namespace, {"_id": "a"}, id=Int64(77)))
        found = model.find_raw(["a", "b", "c"])
        await anext(found)
        await found.aclose()
        killed, *_ = database.commands("killCursors")
        assert killed["cursors"] == [77]
