"""Makes the changes of commits."""

import asyncio
from collections.abc import Mapping, Sequence

from service.documents import layout
from service.documents.commits import placed
from service.documents.layout import Stored
from service.errors import (
    DatabaseUnavailable,
    DatabaseUnsupported,
    DocumentRejected,
    DocumentTooLarge,
    DuplicateKey,
    Overloaded,
    StuffError,
    WriteConflict,
    raises,
)
from service.mongo.database import Database
from service.mongo.transactions import OUTCOME_UNKNOWN, Transaction, Transactions
from service.store.budget import Budget, Claim
from service.store.checking import Checks
from service.store.commits.attempt import Attempt
from service.store.commits.changes import Applied, Change
from service.store.commits.target import Target
from service.store.slices import Slices
from service.store.turns import Turn
from service.store.work import Work


class Commits:
    """The commits of a process."""

    def __init__(
        self, database: Database, targets: Mapping[str, Target], budget: Budget, slices: Slices
    ) -> None:
        self.targets = targets
        """The collections, by their names in paths."""
        self.slices = slices
        self._database = database
        self._transactions = Transactions(database)
        self._budget = budget

    @raises(
        Attempt.make,
        DuplicateKey,
        DocumentTooLarge,
        DocumentRejected,
        DatabaseUnsupported,
        DatabaseUnavailable,
        WriteConflict,
        Overloaded,
        Checks.check,
    )
    async def make(self, changes: Sequence[Change]) -> list[Applied]:
        """Make all changes, of which no two are of one document, or none, and return what came of
        them, in their order.

        Raises the error of the first change that cannot be made, with its `index`.
        """
        self._transactions.check()
        work = await self.work(changes)
        database = changes[0].target.database
        async with (
            self._database.operation(late=OUTCOME_UNKNOWN),
            Turn(work.entries, database, self._database.commits) as turn,
        ):
            return await turn.write(lambda: self._in_transaction(work))

    @raises(
        Attempt.make,
        DuplicateKey,
        DocumentTooLarge,
        DocumentRejected,
        Checks.check,
    )
    async def work(self, changes: Sequence[Change]) -> Work[list[Applied]]:
        """All changes as the work of a transaction: see `make`."""
        new = {each.index: await self._new(each) for each in changes if each.fields}

        async def make(transaction: Transaction, claim: Claim) -> list[Applied]:
            return await Attempt(transaction, new, self.slices, claim).make(changes)

        return Work([(change.target.turns, change.id) for change in changes], make)

    async def _new(self, change: Change) -> Stored:
        """The document to put or to create."""
        target = change.target
        try:
            fields = change.fields
            if target.checks is not None:
                fields = await target.checks.check(fields)
            new = target.layout.new(layout.id_element(change.id), fields)
        except StuffError as error:
            raise placed(error, change.index, change.write.member, inside=False) from None
        await asyncio.sleep(0)  # let other requests run
        return new

    async def _in_transaction(self, work: Work[list[Applied]]) -> list[Applied]:
        # It goes on if the request ends before, and so does its claim.
        with self._budget.claim() as claim:
            return await self._transactions.run(lambda each: work.make(each, claim))
