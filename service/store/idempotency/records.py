"""Carries out requests that have an idempotency key."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from service.declarations.indexes import Index
from service.errors import (
    DatabaseUnavailable,
    DatabaseUnsupported,
    IdempotencyKeyInUse,
    IdempotencyKeyReused,
    Overloaded,
    StuffError,
    WriteConflict,
    raises,
)
from service.mongo import records
from service.mongo.access import CollectionAccess
from service.mongo.database import Database
from service.mongo.records import Answer, RecordTaken
from service.mongo.transactions import Transaction, Transactions
from service.settings.rules import RECORDS
from service.store.budget import Budget
from service.store.indexes import RETRY_INTERVAL, IndexFault, create
from service.store.turns import Turn
from service.store.work import Made, Work

log = logging.getLogger(__name__)

EXPIRY = Index(keys={records.EXPIRES_AT: 1}, expire_after=0)
OUTCOME_UNKNOWN = "The database took too long. Send the same request again to learn its outcome."


class Keyed(NamedTuple):
    """A request that has an idempotency key."""

    id: str
    """Of its record: what all repetitions have in common."""
    fingerprint: str
    """Of the rest of the request."""


class Records:
    """The records of all requests with an idempotency key, of all processes."""

    def __init__(self, database: Database, budget: Budget) -> None:
        self._database = database
        self._access = CollectionAccess(database, RECORDS)
        self._transactions = Transactions(database)
        self._budget = budget
        self._obstacle: StuffError | None = None
        self._is_prepared = asyncio.Event()

    async def prepare(self) -> None:
        """Have the database delete what has expired. Retries until the database is available."""
        readiness = self._database.readiness
        while not readiness.is_reached:
            await readiness.wait(RETRY_INTERVAL)
        while self._database.has_transactions:  # else no record is ever written
            try:
                await create(self._access, EXPIRY)
            except DatabaseUnavailable as error:
                self._obstacle = error
                await asyncio.sleep(RETRY_INTERVAL)
                continue
            except IndexFault as fault:
                log.warning("Requests with an Idempotency-Key are refused: %s", fault)
                self._obstacle = DatabaseUnsupported(
                    "An Idempotency-Key needs an index by which the database deletes old records, "
                    f"which could not be created. {fault} Send the request without a key."
                )
            else:
                self._obstacle = None
            break
        self._is_prepared.set()

    @raises(
        IdempotencyKeyInUse,
        IdempotencyKeyReused,
        DatabaseUnsupported,
        DatabaseUnavailable,
        WriteConflict,
        Overloaded,
    )
    async def once(
        self, request: Keyed, work: Work[Made], answer: Callable[[Made], Awaitable[Answer]]
    ) -> Answer | None:
        """Do the work and record its answer. If that was done before, return that answer instead.

        Raises `IdempotencyKeyReused` if it was another request, `IdempotencyKeyInUse` if the first
        one is under way, `DatabaseUnsupported`, and what the work raises.
        """
        self._transactions.check("An Idempotency-Key needs", "send the request without one")

        async def recorded(transaction: Transaction) -> None:
            await records.begin(transaction, self._access, request.id, request.fingerprint)
            with self._budget.claim() as claim:
                made = await work.make(transaction, claim)
                given = await answer(made)
            await records.complete(transaction, self._access, request.id, given)

        async with self._database.operation(late=OUTCOME_UNKNOWN):
            await self._check_prepared()
            turn = Turn(work.entries, self._access, self._database.commits)
            try:
                async with turn:
                    await turn.write(lambda: self._transactions.run(recorded))
            except RecordTaken:
                return await self._answered(request)
        return None

    async def _answered(self, request: Keyed) -> Answer:
        record = await records.find(self._access, request.id)
        if record is None:
            raise IdempotencyKeyInUse
        if record.fingerprint != request.fingerprint:
            raise IdempotencyKeyReused
        await self._transactions.journal()  # it may have been seen before
        return record.answer

    async def _check_prepared(self) -> None:
        if self._obstacle is None:
            await self._is_prepared.wait()
        if self._obstacle is not None:
            # Raised again and again, it would collect the tracebacks of all requests.
            raise self._obstacle.with_traceback(None)


@asynccontextmanager
async def preparing(kept: Records) -> AsyncIterator[None]:
    """Prepares the records in the background."""
    task = asyncio.create_task(kept.prepare())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
