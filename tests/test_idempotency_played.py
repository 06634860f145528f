"""What a database can answer to a request with an `Idempotency-Key`, and what becomes of it."""

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx import AsyncClient, Response

from tests.support.applications import Application
from tests.support.committing import documents, put
from tests.support.database.answers import Answer, Gate, broken, broken_after, error, forward
from tests.support.database.playing import Play
from tests.support.database.roles import MONGOS, PRIMARY, STANDALONE, Role
from tests.support.database.server import PlayedDatabase
from tests.support.declaring import declare
from tests.support.patience import lasting
from tests.support.problems import assert_problem

OPERATORS = {"Content-Type": "application/vnd.stuff.update-operators+json"}
TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"
REPLAYED = "idempotency-replayed"
RECORDS = "stuff_idempotency"


def in_transaction(asked: dict[str, Any]) -> bool:
    return "autocommit" in asked


def of_records(asked: dict[str, Any]) -> bool:
    return in_transaction(asked) and asked.get("update") == RECORDS


def of_documents(asked: dict[str, Any]) -> bool:
    return in_transaction(asked) and asked.get("update") == "stuff"


@pytest.fixture
def serving(application: Application, play: Play) -> Any:
    @asynccontextmanager
    async def start(
        role: Role = PRIMARY, **settings: Any
    ) -> AsyncIterator[tuple[AsyncClient, PlayedDatabase]]:
        database = play(role, forward=True)
        async with application(mongodb_uri=database.uri(), **settings) as client:
            await client.put("/stuff/a", json={"n": 0})
            yield client, database

    return start


class Sender:
    """Sends one request, as often as it is told."""

    def __init__(self, client: AsyncClient) -> None:
        self._client = client
        self._headers = {"Idempotency-Key": f'"{uuid.uuid4()}"'} | OPERATORS

    async def send(self) -> Response:
        return await self._client.patch("/stuff/a", json={"$inc": {"n": 1}}, headers=self._headers)

    async def count(self) -> int:
        count: int = (await self._client.get("/stuff/a")).json()["n"]
        return count


@pytest.mark.parametrize("role", [PRIMARY, MONGOS])
async def test_the_record_is_the_first_statement_of_the_transaction(
    serving: Any, role: Role
) -> None:
    async with serving(role) as (client, database):
        assert (await Sender(client).send()).is_success
        asked = [each.command for each in database.asked if in_transaction(each.command)]
        statements = [(next(iter(each)), next(iter(each.values()))) for each in asked[-6:]]
        assert statements == [
            ("update", RECORDS),
            ("find", "stuff"),
            ("update", "stuff"),
            ("find", "stuff"),
            ("update", RECORDS),
            ("commitTransaction", 1),
        ]
        assert asked[-6]["startTransaction"]
        assert len({each["txnNumber"] for each in asked[-6:]}) == 1
        assert asked[-1]["writeConcern"] == {"w": "majority", "j": True}


async def test_a_post_costs_no_read(serving: Any) -> None:
    async with serving() as (client, database):
        database.asked.clear()
        headers = {"Idempotency-Key": '"one"'}
        assert (await client.post("/stuff", json={}, headers=headers)).status_code == 201
        names = [each.name for each in database.asked if in_transaction(each.command)]
        assert names == ["update", "insert", "update", "commitTransaction"]


@pytest.mark.parametrize("code", [112, 251, 91, 10107])
async def test_what_conflicts_in_the_documents_is_done_again_from_the_start(
    serving: Any, code: int
) -> None:
    async with serving() as (client, database):
        sender = Sender(client)
        database.answer("update", error(code, "planted", TRANSIENT), when=of_documents)
        first = await sender.send()
        assert first.is_success, first.text
        assert REPLAYED not in first.headers
        assert (await sender.send()).headers[REPLAYED] == "true"
        assert await sender.count() == 1


async def test_a_conflict_in_the_record_is_a_request_under_way(serving: Any) -> None:
    async with serving() as (client, database):
        sender = Sender(client)
        database.answer("update", error(112, "planted", TRANSIENT), when=of_records)
        refused = await sender.send()
        assert_problem(refused, 409, "idempotency-key-in-use")
        assert refused.headers["retry-after"] == "1"
        assert await sender.count() == 0
        assert (await sender.send()).is_success
        assert await sender.count() == 1


async def test_an_outage_at_the_record_is_no_request_under_way(serving: Any) -> None:
    async with serving() as (client, database):
        sender = Sender(client)
        for planted in (broken, error(91, "planted", TRANSIENT)):
            database.answer("update", planted, when=of_records)
            first = await sender.send()
            assert first.status_code in (200, 503), first.text
        assert (await sender.send()).is_success
        assert await sender.count() == 1


@pytest.mark.parametrize("statement", ["replace", "update"])
async def test_a_record_that_is_not_acknowledged_is_a_503(serving: Any, statement: str) -> None:
    """As any write of which the database says so."""
    late = {"ok": 1.0, "n": 1, "nModified": 1} | {
        "writeConcernError": {"code": 64, "errmsg": "waiting timed out"}
    }

    def planted(asked: dict[str, Any]) -> bool:
        is_last = of_records(asked) and "$set" in asked["updates"][0]["u"]
        return of_records(asked) and is_last == (statement == "update")

    async with serving() as (client, database):
        sender = Sender(client)
        database.answer("update", late, when=planted)
        assert_problem(await sender.send(), 503, "database-unavailable")
        assert await sender.count() == 0
        assert (await sender.send()).is_success
        assert await sender.count() == 1


@pytest.mark.parametrize("answer", [broken, broken_after, error(91, "planted", UNKNOWN)])
async def test_a_commit_of_unknown_outcome_is_known_by_the_repetition(
    serving: Any, answer: Answer
) -> None:
    async with serving(operation_timeout=lasting(1.0)) as (client, database):
        sender = Sender(client)
        gate = Gate()
        database.answer("commitTransaction", gate.before(forward))
        given_up = await sender.send()
        assert_problem(given_up, 503, "database-unavailable")
        assert "Send the same request again" in given_up.json()["detail"]
        gate.open()
        database.answer("commitTransaction", answer)
        while not (again := await sender.send()).is_success:
            assert again.status_code in (409, 503), again.text
        assert await sender.count() == 1
        assert (await sender.send()).headers[REPLAYED] == "true"


async def test_without_transactions_a_key_is_a_501(application: Application, play: Play) -> None:
    async with application(mongodb_uri=play(STANDALONE, forward=True).uri()) as client:
        assert (await client.put("/stuff/a", json={"n": 0})).is_success
        problem = assert_problem(await Sender(client).send(), 501, "database-unsupported")
        assert "Idempotency-Key" in problem["detail"]
        headers = {"Idempotency-Key": '"one"'}
        for path, body in (("/stuff", {}), ("/commit", {"writes": [put("b", {})]})):
            refused = await client.post(path, json=body, headers=headers)
            assert_problem(refused, 501, "database-unsupported")
        assert await documents(client) == {"a": {"n": 0}}


async def test_where_records_would_pile_up_a_key_is_a_501(
    application: Application, play: Play, caplog: pytest.LogCaptureFixture
) -> None:
    database = play(PRIMARY, forward=True)
    database.always("createIndexes", error(67, "planted"))
    with caplog.at_level(logging.WARNING):
        async with application(mongodb_uri=database.uri()) as client:
            assert (await client.put("/stuff/a", json={"n": 0})).is_success
            problem = assert_problem(await Sender(client).send(), 501, "database-unsupported")
            assert "planted" in problem["detail"]
            assert (await client.post("/commit", json={"writes": [put("b", {})]})).is_success
    assert "Idempotency-Key" in caplog.text


async def test_a_user_that_may_make_no_index_can_do_all_else(
    application: Application, play: Play
) -> None:
    database = play(PRIMARY, forward=True)
    database.always("createIndexes", error(13, "planted"))
    async with application(mongodb_uri=database.uri()) as client:
        assert (await client.put("/stuff/a", json={"n": 0})).is_success
        problem = assert_problem(await Sender(client).send(), 503, "database-unavailable")
        assert "refuses access" in problem["detail"]


async def test_what_is_only_read_needs_no_records(
    application: Application, play: Play, tmp_path: Path
) -> None:
    database = play(PRIMARY, forward=True)
    file = declare(tmp_path, stuff={"read_only": True})
    async with application(mongodb_uri=database.uri(), collections=file) as client:
        assert (await client.get("/stuff")).status_code == 200
    assert not database.commands("createIndexes")
