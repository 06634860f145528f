"""Transactions of several statements, in several collections.

They read a snapshot, and are committed when a majority of the replica set has them in its journal.
What conflicts with another transaction is done again from the start; a commit whose outcome is not
known is sent again, as the drivers' specification says:
https://github.com/mongodb/specifications/blob/master/source/transactions-convenient-api/transactions-convenient-api.md
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import TypeVar

from motor.frameworks.asyncio import run_on_executor
from motor.motor_asyncio import AsyncIOMotorClientSession
from pymongo import ReadPreference
from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    ExecutionTimeout,
    OperationFailure,
    PyMongoError,
)
from pymongo.read_concern import ReadConcern

from service.documents.ids import Id
from service.errors import DatabaseUnavailable, DatabaseUnsupported, StuffError, WriteConflict
from service.mongo.access import CollectionAccess
from service.mongo.database import Database
from service.mongo.faults import TIME_LIMIT, bulk_faults, is_about_id, translated
from service.mongo.journal import flush
from service.mongo.operator_faults import operator_fault
from service.mongo.statements import Statement, is_update

MAX_OPEN = 5.0
"""Seconds that a transaction may be open: it keeps others from writing its documents."""
MAX_IDS = 128
"""Ids in one read: with more, the embedded engine takes longer than for several reads."""
WRITE_CONFLICT = 112
OUTCOME_UNKNOWN = (
    "It is not known whether the commit has taken effect. Read its documents to find out."
)
TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"

Result = TypeVar("Result")


class StatementRefused(Exception):
    """The database has refused a statement."""

    def __init__(self, position: int, error: StuffError) -> None:
        """`position` is its place among those that were sent with it, from 0."""
        self.position = position
        self.error = error


class Transaction:
    """A transaction that is open."""

    def __init__(self, session: AsyncIOMotorClientSession, deadline: float) -> None:
        """`deadline` is when it has to be committed or aborted (`time.monotonic`)."""
        self._session = session
        self._deadline = deadline

    async def find(self, database: CollectionAccess, ids: Sequence[Id]) -> AsyncIterator[bytes]:
        """The documents with these ids, as BSON, in any order, as they arrive."""
        for start in range(0, len(ids), MAX_IDS):
            self._check_time()
            part = ids[start : start + MAX_IDS]
            async for document in database.model.find_raw(part, self._session):
                yield document

    async def write(
        self, database: CollectionAccess, statements: Sequence[Statement]
    ) -> frozenset[int]:
        """Carry out the statements in their order. Returns the positions of those that replace a
        document, or else create it, and that have created it.

        Raises `StatementRefused` for the first one that the database refuses.
        """
        self._check_time()
        try:
            result = await database.collection.bulk_write(statements, session=self._session)
        except BulkWriteError as error:
            [(position, fault), *_] = bulk_faults(error, len(statements)).items()
            if is_about_id(fault):  # another writer has created the document since the snapshot
                raise PyMongoError("the document exists", [TRANSIENT]) from error
            if is_transient(error) or is_transient(fault):
                raise
            raise StatementRefused(position, _refusal(fault, statements[position])) from None
        except OperationFailure as error:
            if len(statements) > 1 or is_transient(error):
                raise
            raise StatementRefused(0, _refusal(error, statements[0])) from None
        return frozenset(entry["index"] for entry in result.bulk_api_result["upserted"])

    def _check_time(self) -> None:
        if time.monotonic() >= self._deadline:
            raise ExecutionTimeout("the transaction was open for too long", TIME_LIMIT)


class Transactions:
    """Makes transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._limits = database.limits

    def check(
        self, what: str = "Commits need", instead: str = "send the writes one by one"
    ) -> None:
        """Raise `DatabaseUnsupported` if the database has no transactions, and
        `DatabaseUnavailable` until it has answered once. The message says what needs them, and what
        to do `instead`."""
        self._database.readiness.check()
        if not self._database.has_transactions:
            raise DatabaseUnsupported(
                f"{what} transactions, which this database does not have. Use a replica set (one "
                f"node is enough) or a sharded cluster, or {instead}."
            )

    async def run(self, work: Callable[[Transaction], Awaitable[Result]]) -> Result:
        """Do the work in a transaction, and commit it. The work is done again if the transaction
        conflicts with another one, as long as an operation may take.

        Call this under `limits.writes`. Raises what the work raises, and then, or when the database
        fails before the commit, nothing was written: `WriteConflict`, `DatabaseUnavailable` and
        others. An error with a cause is about the commit itself, whose outcome is unknown if it is
        `DatabaseUnavailable`.
        """
        started = time.monotonic()
        async with await self._database.client.start_session() as session:
            for delay in _delays():
                try:
                    result = await self._attempt(session, work, started)
                    await self._commit(session, started)
                    return result
                except PyMongoError as error:
                    is_late = time.monotonic() + delay >= self._limits.end_of_work(started)
                    if is_late or not is_transient(error):
                        raise _given_up(error) from None
                await asyncio.sleep(delay)
        raise AssertionError("the delays have no end")

    async def journal(self) -> None:
        """Wait until all transactions that can be seen are in the journal, if the database has not.
        Raises `DatabaseUnavailable`."""
        if self._database.journals_late:
            client = self._database.client
            try:
                await run_on_executor(client.get_io_loop(), flush, client.delegate)  # type: ignore[no-untyped-call]
            except PyMongoError as error:
                raise DatabaseUnavailable(OUTCOME_UNKNOWN) from error

    async def _attempt(
        self,
        session: AsyncIOMotorClientSession,
        work: Callable[[Transaction], Awaitable[Result]],
        started: float,
    ) -> Result:
        """Leaves the transaction open if it returns."""
        session.start_transaction(
            read_concern=ReadConcern("snapshot"),
            write_concern=self._database.write_concern,
            read_preference=ReadPreference.PRIMARY,
        )
        deadline = min(time.monotonic() + MAX_OPEN, self._limits.end_of_work(started))
        try:
            with self._limits.work_of_transaction(started, MAX_OPEN):
                return await work(Transaction(session, deadline))
        except BaseException:
            await session.abort_transaction()
            raise

    async def _commit(self, session: AsyncIOMotorClientSession, started: float) -> None:
        """Raises a driver's error only if it is transient: the transaction was aborted instead."""
        for delay in _delays():
            try:
                await session.commit_transaction()
            except PyMongoError as error:
                if is_transient(error):
                    raise
                if not error.has_error_label(UNKNOWN):
                    raise translated(error) from error
                is_late = time.monotonic() + delay >= self._limits.end(started)
                if is_late or getattr(error, "code", None) == TIME_LIMIT:
                    raise DatabaseUnavailable(OUTCOME_UNKNOWN) from error
            else:
                await self.journal()
                return
            await asyncio.sleep(delay)


def is_transient(error: PyMongoError) -> bool:
    """Whether the whole transaction may succeed if it is done again."""
    return error.has_error_label(TRANSIENT)


def is_conflict(error: PyMongoError) -> bool:
    """Whether another transaction writes the same document, or has written it since."""
    is_answer = not isinstance(error, ConnectionFailure)
    return is_transient(error) and is_answer and _code(error) == WRITE_CONFLICT


def _code(error: PyMongoError) -> int | None:
    """The code of an error about a transaction. One without a code says that it conflicts."""
    code: int | None = getattr(error, "code", WRITE_CONFLICT)
    return code


def _refusal(error: OperationFailure, statement: Statement) -> StuffError:
    of_operators = operator_fault(error) if is_update(statement) else None
    return of_operators or translated(error)


def _given_up(error: PyMongoError) -> StuffError:
    if is_transient(error) and _code(error) == WRITE_CONFLICT:
        return WriteConflict()
    return translated(error)


def _delays() -> Iterator[float]:
    """Seconds to wait after each attempt: exponential backoff with jitter."""
    ceiling = 0.001
    while True:
        yield random.uniform(0, ceiling)  # noqa: S311 (no secret)
        ceiling = min(ceiling * 1.5, 0.5)
