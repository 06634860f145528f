"""One attempt to make all changes of a commit, in an open transaction."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from service.documents import layout
from service.documents.commits import placed
from service.documents.ids import Id, Key, key_in
from service.documents.layout import Stored
from service.errors import CommitTooLarge, StuffError, raises
from service.mongo.operator_faults import unexplained_fault
from service.mongo.transactions import StatementRefused, Transaction
from service.store.budget import Claim
from service.store.commits.changes import Applied, Change
from service.store.commits.planning import Plan, plan, unrecorded
from service.store.commits.target import Target
from service.store.slices import Slices

MAX_BYTES = 64 * 1024 * 1024
"""Of the documents that a commit reads and writes together, as BSON: a patch can make a large
document of few bytes."""

Found: TypeAlias = Mapping[tuple[Target, Key], Stored]


class Attempt:
    """Reads the documents that have to be read, plans what to write, and writes it: for each
    collection one call of the database for each of both, and one that reads what operators have
    changed."""

    def __init__(
        self, transaction: Transaction, new: Mapping[int, Stored], slices: Slices, claim: Claim
    ) -> None:
        """`new` are the documents to put or to create, by the indices of their writes. `claim` is
        for all documents in memory."""
        self._transaction = transaction
        self._new = new
        self._slices = slices
        self._claim = claim
        self._held = 0

    @raises(plan, CommitTooLarge)
    async def make(self, changes: Sequence[Change]) -> list[Applied]:
        """Make the changes, and return what came of them, in their order.

        Raises the driver's errors, and, with the index of the write at fault, those of `plan` and
        what the database refuses.
        """
        self._hold(sum(len(stored.bson) for stored in self._new.values()))
        by_target: dict[Target, list[Change]] = {}
        for change in changes:
            by_target.setdefault(change.target, []).append(change)
        current: dict[tuple[Target, Key], Stored] = {}
        for target, group in by_target.items():
            current |= await self._read(target, [each.id for each in group if each.needs_current])
        plans: dict[Target, list[Plan]] = {target: [] for target in by_target}
        for change in changes:  # in their order, so that the first fault is that of the commit
            plans[change.target].append(await self._plan(change, current))
        applied = [each for item in plans.items() for each in await self._write(*item)]
        return sorted(applied, key=lambda each: each.change.index)

    async def _read(self, target: Target, ids: Sequence[Id]) -> Found:
        found: dict[tuple[Target, Key], Stored] = {}
        async for document in self._transaction.find(target.database, ids):
            self._hold(len(document))
            found[target, key_in(document)] = target.layout.read(document)
        return found

    async def _plan(self, change: Change, current: Found) -> Plan:
        new = self._new.get(change.index)
        planned = await plan(change, new, current.get((change.target, change.id)), self._slices)
        if planned.stored is not None and new is None:
            self._hold(len(planned.stored.bson))
        await asyncio.sleep(0)  # let other requests run
        return planned

    async def _write(self, target: Target, plans: Sequence[Plan]) -> list[Applied]:
        statements = [each.statement for each in plans]
        try:
            created = await self._transaction.write(target.database, statements)
        except StatementRefused as refused:
            refusing = plans[refused.position]
            raise _of(refusing.change, _refusal(refusing, refused.error)) from None
        updated = await self._updated(target, [each for each in plans if each.change.update])
        return [
            Applied(each.change, each.created or position in created, _etag(each, updated))
            for position, each in enumerate(plans)
        ]

    async def _updated(self, target: Target, plans: Sequence[Plan]) -> Found:
        """The documents that operators have changed. Raises `SchemaViolation`, and `InvalidCommit`
        if one is not changed and has no metadata."""
        if not plans:
            return {}
        found = await self._read(target, [each.change.id for each in plans])
        for each in plans:
            new = found[target, each.change.id]
            if each.stored is not None and new.bson == each.stored.bson:
                raise unrecorded(each.change)
            if target.checks is not None:
                _, fields = layout.split(new.bson)
                try:
                    await target.checks.check(fields)
                except StuffError as error:
                    raise _of(each.change, error) from None
                await asyncio.sleep(0)  # let other requests run
        return found

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > MAX_BYTES:
            raise CommitTooLarge(MAX_BYTES)
        self._claim.hold(self._held)


def _of(change: Change, error: StuffError) -> StuffError:
    """The error of a change, as one of the commit."""
    return placed(error, change.index, change.write.member, inside=False)


def _refusal(plan: Plan, error: StuffError) -> StuffError:
    """Why the database has refused a statement."""
    update = plan.change.update
    if type(error) is StuffError and update is not None and plan.stored is not None:
        return unexplained_fault(update, plan.stored.bson) or error
    return error


def _etag(plan: Plan, updated: Found) -> str | None:
    """The entity tag of the document as it is then, None if it was deleted."""
    stored = updated.get((plan.change.target, plan.change.id), plan.stored)
    return None if stored is None else stored.etag
