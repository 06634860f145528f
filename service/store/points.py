"""What can be done with one document, by its id."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from service.documents import layout
from service.documents.ids import Id, Ids, canonical
from service.documents.layout import Stored
from service.documents.metadata import Layout
from service.documents.patches import Patch
from service.documents.preconditions import NO_PRECONDITIONS, EntityTags, Preconditions
from service.documents.query import View
from service.documents.updates import Update
from service.errors import (
    DatabaseUnavailable,
    DatabaseUnsupported,
    DocumentNotFound,
    DocumentRejected,
    DocumentTooLarge,
    DuplicateKey,
    InvalidDocument,
    InvalidPatch,
    PatchTestFailed,
    PreconditionFailed,
    WriteConflict,
    raises,
)
from service.mongo.access import CollectionAccess, MotorCollection
from service.mongo.exchange import exchange, insert
from service.store.attempts import delays
from service.store.batching import Reads, Writes
from service.store.budget import Budget
from service.store.checking import Checks
from service.store.making import Maker
from service.store.slices import Slices
from service.store.turns import Turn, Turns
from service.store.updates import Updates

IS_NEW = Preconditions(if_none_match=EntityTags(any=True))
DELETED_BEFORE = "It may have been deleted before."


@dataclass(frozen=True, slots=True)
class Written:
    """An acknowledged write: a majority of the replica set has it in its journal."""

    id: Id
    created: bool
    stored: Stored


class PointOperations:
    """Reads and writes of one document, by its id.

    Every method raises `DatabaseUnavailable` when the database does not acknowledge in time, every
    write `DocumentTooLarge`, `DocumentRejected` and `DuplicateKey`, and every conditional write
    `PreconditionFailed` and `WriteConflict`.
    """

    def __init__(
        self,
        database: CollectionAccess,
        reads: Reads,
        writes: Writes,
        turns: Turns,
        budget: Budget,
        slices: Slices,
        ids: Ids,
        layout: Layout,
        checks: Checks | None = None,
    ) -> None:
        self._layout = layout
        self._checks = checks
        self._make = Maker(ids, layout, checks, slices)
        self._database = database
        self._reads = reads
        self._writes = writes
        # In this process no other write comes between the read and the write of a conditional
        # write, since it has its turn; writes of other processes are found by comparing.
        self._turns = turns
        self._budget = budget
        self._updates = Updates(database, turns, budget, layout, self._find, checks)

    @raises(DocumentNotFound, DatabaseUnavailable, DatabaseUnsupported)
    async def get(self, id: Id) -> Stored:
        """The document. Raises `DocumentNotFound`."""
        document = await self._reads.find(id)
        if document is None:
            raise DocumentNotFound(canonical(id))
        return self._layout.read(document)

    @raises(get)
    async def get_view(self, id: Id, view: View) -> Stored:
        """Some fields of the document. Raises `DocumentNotFound`."""
        async with self._database.operation():
            with self._database.limits.reads():
                document = await self._database.points.run(
                    lambda: self._collection.find_one({"_id": id}, view.projection())
                )
        if document is None:
            raise DocumentNotFound(canonical(id))
        return self._layout.read_view(bytes(document.raw), view.name)

    @raises(
        PreconditionFailed,
        DuplicateKey,
        DocumentTooLarge,
        DocumentRejected,
        DatabaseUnavailable,
        DatabaseUnsupported,
        WriteConflict,
        Checks.check,
    )
    async def put(
        self, id: Id, fields: bytes, preconditions: Preconditions = NO_PRECONDITIONS
    ) -> Written:
        """Create or replace the document."""
        if self._checks is not None:
            fields = await self._checks.check(fields)
        new = self._layout.new(layout.id_element(id), fields)
        if preconditions.guard_writes():
            return await self._put_if(preconditions, id, new)
        return Written(id, await self._writes.put(id, new.bson), new)

    @raises(
        DuplicateKey,
        DocumentTooLarge,
        DocumentRejected,
        InvalidDocument,
        DatabaseUnavailable,
        DatabaseUnsupported,
        WriteConflict,
        Checks.check,
    )
    async def create(self, fields: bytes) -> Written:
        """Create the document under an id of its own. Raises `InvalidDocument` if only clients can
        make ids of the type that the collection has."""
        id, new = await self._make.created(fields)
        try:
            # An upsert like any other, since the id is unique.
            await self._writes.put(id, new.bson)
        except DatabaseUnsupported:
            # MongoDB needs the shard key for an upsert, but not for an insert.
            return await self._put_if(IS_NEW, id, new)
        return Written(id, True, new)

    @raises(DocumentNotFound, PatchTestFailed, InvalidPatch, InvalidDocument, put, Updates.apply)
    async def patch(
        self, id: Id, patch: Patch | Update, preconditions: Preconditions = NO_PRECONDITIONS
    ) -> Written:
        """Patch the document as it is when the patch is written.

        Raises `DocumentNotFound`, and what `patches.apply` or `Updates.apply` raises.
        """
        if isinstance(patch, Update):
            document, created = await self._updates.apply(id, patch, preconditions)
            return Written(id, created, self._layout.read(document))

        async def change(current: Stored | None) -> Stored:
            return await self._make.patched(id, current, patch, preconditions)

        new = await self._exchange(id, change)
        assert new is not None
        return Written(id, False, new)

    @raises(
        DocumentNotFound,
        PreconditionFailed,
        DatabaseUnavailable,
        DatabaseUnsupported,
        WriteConflict,
    )
    async def delete(self, id: Id, preconditions: Preconditions = NO_PRECONDITIONS) -> None:
        """Delete the document. Raises `DocumentNotFound`."""
        if preconditions.guard_writes():
            return await self._delete_if(preconditions, id)
        if not await self._writes.delete(id):
            raise DocumentNotFound(canonical(id), DELETED_BEFORE)
        return None

    async def _put_if(self, preconditions: Preconditions, id: Id, new: Stored) -> Written:
        created = False

        async def change(current: Stored | None) -> Stored:
            nonlocal created
            preconditions.check(current)
            created = current is None
            return new

        await self._exchange(id, change)
        return Written(id, created, new)

    async def _delete_if(self, preconditions: Preconditions, id: Id) -> None:
        async def change(current: Stored | None) -> None:
            if current is None:
                raise DocumentNotFound(canonical(id), DELETED_BEFORE)
            preconditions.check(current)

        await self._exchange(id, change)

    async def _exchange(
        self, id: Id, change: Callable[[Stored | None], Awaitable[Stored | None]]
    ) -> Stored | None:
        """Read the document, and write what `change` makes of it; again if it was changed
        meanwhile.

        None means no document. Raises what `change` raises, `WriteConflict`, and `Overloaded` if
        the process cannot hold both documents.
        """
        with self._budget.claim() as claim:
            async with (
                self._database.operation(),
                self._turns.turn([id], self._database.points) as turn,
            ):
                for delay in delays():
                    current = await self._find(id)
                    claim.hold(_size(current))
                    new = await change(current)
                    claim.hold(_size(current) + _size(new))
                    if await self._compare_and_write(turn, id, current, new):
                        return new
                    await asyncio.sleep(delay)
        raise WriteConflict

    @property
    def _collection(self) -> MotorCollection:
        collection: MotorCollection = self._database.collection
        return collection

    async def _find(self, id: Id) -> Stored | None:
        document = await self._reads.find(id)
        return None if document is None else self._layout.read(document)

    async def _compare_and_write(
        self, turn: Turn, id: Id, current: Stored | None, new: Stored | None
    ) -> bool:
        """Write the document; False if it is no longer the current one."""
        if current is not None:
            return await exchange(
                self._database, turn, id, current.bson, None if new is None else new.bson
            )
        return new is None or await insert(self._database, turn, new.bson)


def _size(document: Stored | None) -> int:
    return 0 if document is None else len(document.bson)
