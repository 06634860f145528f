"""What update operators do to one document, by its id."""

import asyncio
from collections.abc import Awaitable, Callable

from service.documents import layout
from service.documents.ids import Id, canonical
from service.documents.layout import Stored
from service.documents.metadata import Layout
from service.documents.preconditions import Preconditions
from service.documents.updates import Update
from service.errors import (
    DatabaseUnavailable,
    DatabaseUnsupported,
    DocumentNotFound,
    DocumentRejected,
    DocumentTooLarge,
    DuplicateKey,
    InvalidPatch,
    PreconditionFailed,
    WriteConflict,
    raises,
)
from service.mongo.access import CollectionAccess
from service.mongo.operator_faults import operator_faults
from service.mongo.updates import Updated, update_checked, update_unchanged
from service.store.attempts import delays
from service.store.budget import Budget, Claim
from service.store.checking import Checks
from service.store.rows import Rows
from service.store.turns import Turn, Turns

Find = Callable[[Id], Awaitable[Stored | None]]


class Updates:
    """Updates of the documents of a collection: one call of the database each, unless there is a
    condition (two), or a schema (a transaction)."""

    def __init__(
        self,
        database: CollectionAccess,
        turns: Turns,
        budget: Budget,
        layout: Layout,
        find: Find,
        checks: Checks | None,
    ) -> None:
        self._database = database
        self._turns = turns
        self._budget = budget
        self._layout = layout
        self._find = find
        self._checks = checks
        self._rows = Rows(database, turns, layout)

    @raises(
        DocumentNotFound,
        PreconditionFailed,
        InvalidPatch,
        DuplicateKey,
        DocumentTooLarge,
        DocumentRejected,
        DatabaseUnavailable,
        DatabaseUnsupported,
        WriteConflict,
    )
    async def apply(self, id: Id, change: Update, preconditions: Preconditions) -> Updated:
        """Apply the operators to the document as it is then. With `upsert` there are no
        preconditions.

        Raises `DocumentNotFound`, `InvalidPatch` if they do not fit the document,
        `PreconditionFailed`, `SchemaViolation`, `WriteConflict`, and `DatabaseUnsupported` if the
        collection has a schema and the database no transactions.
        """
        if self._checks is not None and not self._database.has_transactions:
            raise DatabaseUnsupported(
                "Update operators on a collection with a schema need transactions, which this "
                "database does not have. Send a merge patch."
            )
        async with self._database.operation(), operator_faults(self._database, id, change):
            if self._checks is None and not preconditions.guard_writes():
                return await self._update(id, change)
            with self._budget.claim() as claim:
                async with self._turns.turn([id], self._database.points) as turn:
                    for delay in delays():
                        updated = await self._attempt(turn, claim, id, change, preconditions)
                        if updated is not None:
                            return updated
                        await asyncio.sleep(delay)
        raise WriteConflict

    async def _update(self, id: Id, change: Update) -> Updated:
        for delay in delays():
            updated = await self._rows.update(id, change)
            if updated is not None:
                return updated
            if not change.upsert:
                raise DocumentNotFound(canonical(id))
            await asyncio.sleep(delay)
        raise WriteConflict

    async def _attempt(
        self, turn: Turn, claim: Claim, id: Id, change: Update, preconditions: Preconditions
    ) -> Updated | None:
        """None if it is to be tried again."""
        operators = change.encoded(self._layout.mark())
        if self._checks is not None:
            return await self._checked(turn, id, change, operators, preconditions)
        current = await self._find(id)
        if current is None:
            raise DocumentNotFound(canonical(id))
        preconditions.check(current)
        claim.hold(len(current.bson) + len(operators))
        return await update_unchanged(self._database, turn, id, current.bson, operators)

    async def _checked(
        self,
        turn: Turn,
        id: Id,
        change: Update,
        operators: bytes,
        preconditions: Preconditions,
    ) -> Updated | None:
        assert self._checks is not None
        check, loop = self._checks.check_from_thread, asyncio.get_running_loop()

        def before(current: bytes | None) -> bool:
            if current is None:
                raise DocumentNotFound(canonical(id))
            preconditions.check(self._layout.read(current))
            return True

        updated = await update_checked(
            self._database,
            turn,
            id,
            operators,
            upsert=change.upsert,
            before=before if preconditions.guard_writes() else None,
            after=lambda new: check(layout.split(new)[1], loop),
        )
        if updated is None and not change.upsert:
            raise DocumentNotFound(canonical(id))
        return updated
