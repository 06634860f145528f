"""Writes of one document, as the work of a transaction."""

from collections.abc import Awaitable, Callable

from service.documents import layout
from service.documents.ids import Id, canonical
from service.documents.layout import Stored
from service.documents.patches import Patch
from service.documents.preconditions import Preconditions
from service.documents.updates import Update
from service.errors import (
    DocumentNotFound,
    DocumentRejected,
    DuplicateKey,
    StuffError,
    raises,
)
from service.mongo import statements
from service.mongo.operator_faults import too_large
from service.mongo.statements import Statement
from service.mongo.transactions import StatementRefused, Transaction
from service.store.budget import Claim
from service.store.commits.target import Target
from service.store.making import Maker
from service.store.points import Written
from service.store.slices import Slices
from service.store.work import Work


class SingleWrites:
    """The writes of a collection that are not idempotent: see `PointOperations` for what they
    do."""

    def __init__(self, target: Target, slices: Slices) -> None:
        self._target = target
        self._database = target.database
        self._make = Maker(target.ids, target.layout, target.checks, slices)

    @raises(Maker.created, DuplicateKey, DocumentRejected)
    async def create(self, fields: bytes) -> Work[Written]:
        """Create the document under an id of its own."""
        id, new = await self._make.created(fields)

        async def make(transaction: Transaction, claim: Claim) -> Written:
            claim.hold(len(new.bson))
            await self._write(transaction, statements.insert(new.bson))
            return Written(id, True, new)

        return self._work(id, make)

    @raises(Maker.patched, DuplicateKey, DocumentRejected)
    def patch(self, id: Id, patch: Patch | Update, preconditions: Preconditions) -> Work[Written]:
        """Patch the document as it is then."""

        async def make(transaction: Transaction, claim: Claim) -> Written:
            current = await self._find(transaction, id)
            claim.hold(_size(current))
            if isinstance(patch, Update):
                if preconditions.guard_writes():
                    preconditions.check(current)
                return await self._updated(transaction, claim, id, current, patch)
            new = await self._make.patched(id, current, patch, preconditions)
            claim.hold(_size(current) + len(new.bson))
            await self._write(transaction, statements.replace(id, new.bson))
            return Written(id, False, new)

        return self._work(id, make)

    async def _updated(
        self,
        transaction: Transaction,
        claim: Claim,
        id: Id,
        current: Stored | None,
        update: Update,
    ) -> Written:
        if current is None and not update.upsert:
            raise DocumentNotFound(canonical(id))
        operators = update.encoded(self._target.layout.mark())
        try:
            await self._write(transaction, statements.update(id, operators, upsert=update.upsert))
        except StuffError as error:
            # The embedded engine does not say so, if the document is too large.
            before = b"" if current is None else current.bson
            if type(error) is StuffError and update.may_overfill(before):
                raise too_large() from None
            raise
        new = await self._find(transaction, id)
        assert new is not None
        claim.hold(_size(current) + len(new.bson))
        if self._target.checks is not None:
            await self._target.checks.check(layout.split(new.bson)[1])
        return Written(id, current is None, new)

    async def _find(self, transaction: Transaction, id: Id) -> Stored | None:
        async for document in transaction.find(self._database, [id]):
            return self._target.layout.read(document)
        return None

    async def _write(self, transaction: Transaction, statement: Statement) -> None:
        try:
            await transaction.write(self._database, [statement])
        except StatementRefused as refused:
            raise refused.error from None

    def _work(
        self, id: Id, make: Callable[[Transaction, Claim], Awaitable[Written]]
    ) -> Work[Written]:
        return Work([(self._target.turns, id)], make)


def _size(document: Stored | None) -> int:
    return 0 if document is None else len(document.bson)
