"""What a database can answer to a transaction, and what becomes of the commit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from httpx import AsyncClient

from service.mongo import transactions
from tests.support.applications import Application
from tests.support.committing import commit, committed, documents, merge, put, write
from tests.support.database.answers import (
    Answer,
    Exchange,
    Gate,
    Reply,
    broken,
    broken_after,
    error,
    forward,
)
from tests.support.database.playing import Play
from tests.support.database.roles import MONGOS, PRIMARY, STANDALONE, Role
from tests.support.database.server import PlayedDatabase
from tests.support.patience import TIMEOUT, lasting
from tests.support.problems import assert_problem

WRITES = [put("a", {"n": 1}), put("b", {"n": 1})]
BOTH = {"a": {"n": 1}, "b": {"n": 1}}
UNKNOWN = "UnknownTransactionCommitResult"
TRANSIENT = "TransientTransactionError"


def in_transaction(asked: dict[str, Any]) -> bool:
    return "autocommit" in asked


@pytest.fixture
def serving(application: Application, play: Play) -> Any:
    @asynccontextmanager
    async def start(
        role: Role = PRIMARY, **settings: Any
    ) -> AsyncIterator[tuple[AsyncClient, PlayedDatabase]]:
        database = play(role, forward=True)
        async with application(mongodb_uri=database.uri(), **settings) as client:
            database.asked.clear()
            yield client, database

    return start


async def test_all_is_one_transaction_that_reads_a_snapshot_and_is_durable(serving: Any) -> None:
    async with serving() as (client, database):
        await committed(client, *WRITES, write("create", "c", {}))
        asked = [each.command for each in database.asked if in_transaction(each.command)]
        assert [next(iter(each)) for each in asked] == ["find", "update", "commitTransaction"]
        assert asked[0]["startTransaction"]
        assert asked[0]["readConcern"]["level"] == "snapshot"
        assert asked[-1]["writeConcern"] == {"w": "majority", "j": True}
        assert len({each["txnNumber"] for each in asked}) == 1
        assert all(each["maxTimeMS"] > 0 for each in asked)


@pytest.mark.parametrize("role", [PRIMARY, MONGOS])
@pytest.mark.parametrize("command", ["find", "update"])
@pytest.mark.parametrize("code", [112, 251, 91, 10107, 246])
async def test_what_is_transient_is_done_again_from_the_start(
    serving: Any, role: Role, command: str, code: int
) -> None:
    async with serving(role) as (client, database):
        await committed(client, *WRITES)
        database.answer(command, error(code, "planted", TRANSIENT), when=in_transaction)
        await committed(client, *(merge(each["id"], {"m": 1}) for each in WRITES))
        assert await documents(client) == {id: {"n": 1, "m": 1} for id in "ab"}


async def test_a_commit_that_was_aborted_is_done_again_from_the_start(serving: Any) -> None:
    async with serving() as (client, database):

        async def aborted(exchange: Exchange) -> Reply:
            # As if a new primary had never heard of the transaction.
            return error(251, "planted", TRANSIENT)

        database.answer("commitTransaction", aborted)
        await committed(client, *WRITES)
        numbers = [each["txnNumber"] for each in database.commands("commitTransaction")]
        assert len(numbers) == len(set(numbers)) == 2
        assert await documents(client) == BOTH


UNANSWERED: list[Answer] = [
    broken,
    broken_after,
    error(91, "planted", "RetryableWriteError", UNKNOWN),
    error(64, "planted", UNKNOWN),
    {"ok": 1.0, "writeConcernError": {"code": 64, "errmsg": "waiting timed out"}},
]


@pytest.mark.parametrize("answer", UNANSWERED)
@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_commit_of_unknown_outcome_is_sent_again(
    serving: Any, answer: Answer, times: int
) -> None:
    async with serving() as (client, database):
        database.answer("commitTransaction", *[answer] * times)
        await committed(client, *WRITES)
        sent = database.commands("commitTransaction")
        assert len(sent) >= 2
        assert len({each["txnNumber"] for each in sent}) == 1
        assert await documents(client) == BOTH


async def test_a_commit_whose_outcome_stays_unknown_says_so(serving: Any) -> None:
    async with serving(operation_timeout=lasting(1.0)) as (client, database):
        database.always("commitTransaction", error(91, "planted", UNKNOWN))
        refused = await commit(client, *WRITES)
        problem = assert_problem(refused, 503, "database-unavailable")
        assert "not known" in problem["detail"]
        assert "retry-after" in refused.headers


async def test_what_conflicts_all_the_time_is_given_up_and_nothing_is_written(
    serving: Any,
) -> None:
    async with serving(operation_timeout=lasting(1.0)) as (client, database):
        conflict = error(112, "planted", TRANSIENT)
        database.always("update", conflict, when=in_transaction)
        refused = await commit(client, *WRITES)
        assert refused.json()["type"] in (
            "/problems/write-conflict",
            "/problems/database-unavailable",
        )
        assert refused.status_code == 503
        tried = len(database.commands("update"))
        assert tried > 3
        # Each attempt lets go of what it has locked.
        await database.until_asked("abortTransaction", tried)
        assert await documents(client) == {}


async def test_a_transaction_is_not_open_for_long(
    serving: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would keep others from writing its documents."""
    monkeypatch.setattr(transactions, "MAX_OPEN", lasting(0.3))
    async with serving() as (client, database):
        gate = Gate()
        database.answer("find", gate.after(forward), when=in_transaction)
        await committed(client, write("create", "a", {"n": 1}), put("b", {"n": 1}))
        gate.open()
        names = [each.name for each in database.asked if in_transaction(each.command)]
        assert names[:3] == ["find", "abortTransaction", "find"]
        assert names[-2:] == ["update", "commitTransaction"]
        assert await documents(client) == BOTH


async def test_the_next_write_waits_until_a_commit_that_was_given_up_has_ended(
    serving: Any,
) -> None:
    """Else the commit, of which its client was told that it is unknown, would undo it."""
    async with serving(operation_timeout=lasting(1.0)) as (client, database):
        gate = Gate()
        database.answer("commitTransaction", gate.before(forward))
        given_up = await commit(client, *WRITES)
        assert_problem(given_up, 503, "database-unavailable")
        gate.open()
        async with asyncio.timeout(TIMEOUT):
            while (response := await client.put("/stuff/a", json={"n": 2})).status_code == 503:
                pass
        assert response.is_success
        assert (await client.get("/stuff/a")).json() == {"_id": "a", "n": 2}


async def test_calls_are_few_however_many_writes(serving: Any) -> None:
    async with serving() as (client, database):
        await committed(client, *(put(f"{n}", {"n": n}) for n in range(100)))
        database.asked.clear()
        await committed(
            client,
            *(merge(f"{n}", {"m": 1}) for n in range(50)),
            *(write("update", f"{n}", {"$inc": {"n": 1}}) for n in range(50, 100)),
        )
        names = [each.name for each in database.asked if in_transaction(each.command)]
        assert names == ["find", "update", "find", "commitTransaction"]


async def test_without_transactions_a_commit_is_a_501(application: Application, play: Play) -> None:
    async with application(mongodb_uri=play(STANDALONE, forward=True).uri()) as client:
        problem = assert_problem(await commit(client, *WRITES), 501, "database-unsupported")
        assert "transactions" in problem["detail"]
        assert await documents(client) == {}
        # What is wrong with a commit is said there, too.
        assert_problem(await commit(client), 422, "invalid-commit")
