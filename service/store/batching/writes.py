"""Unconditional writes by id."""

from collections import OrderedDict
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field

from service.documents.ids import Id
from service.mongo.access import CollectionAccess
from service.mongo.faults import translated_errors
from service.mongo.upserts import upsert
from service.store.batching.bounds import Batching
from service.store.batching.lane import Lane, Operation
from service.store.turns import Turns


@dataclass(slots=True, eq=False)
class _Write(Operation[bool]):
    """A write, and the lane that it enters when its turn begins."""

    lane: "_WriteLane" = field(kw_only=True)

    def begin(self) -> None:
        self.lane.queue[self] = None
        self.lane.wake()


class Writes:
    """Puts and deletes; those of one id go in their order of arrival.

    The methods enter the write, and return what waits for it: it must be awaited at once.
    """

    def __init__(self, database: CollectionAccess, turns: Turns, batching: Batching) -> None:
        self._turns = turns
        self._upserts = _Upserts(turns, database, batching)
        self._deletes = _Deletes(turns, database, batching)

    def put(self, id: Id, document: bytes) -> Awaitable[bool]:
        """Store the document (BSON). Returns whether it was created; else it replaced another.

        Raises `DatabaseUnavailable`, `DocumentRejected`, `DuplicateKey` and `WriteConflict`.
        """
        return self._write(_Write(id, document, lane=self._upserts))

    def delete(self, id: Id) -> Awaitable[bool]:
        """Delete the document. Returns whether there was one. Raises `DatabaseUnavailable`."""
        return self._write(_Write(id, lane=self._deletes))

    def _write(self, write: _Write) -> Awaitable[bool]:
        if self._turns.enter(write.id, write):
            write.lane.queue[write] = None
        return write.lane.wait(write)


class _WriteLane(Lane[bool]):
    """Writes of one kind that have their turn, so no two have the same id."""

    def __init__(self, turns: Turns, database: CollectionAccess, batching: Batching) -> None:
        super().__init__(database, batching)
        self._turns = turns
        self.queue: OrderedDict[Operation[bool], None] = OrderedDict()
        self.capacity = batching.max_count
        self._max_bytes = batching.max_bytes

    @property
    def queued(self) -> int:
        return len(self.queue)

    @property
    def oldest(self) -> Operation[bool]:
        return next(iter(self.queue))

    def next_batch(self) -> list[Operation[bool]]:
        batch: list[Operation[bool]] = []
        size = 0
        while self.queue and len(batch) < self.capacity:
            write, _ = self.queue.popitem(last=False)
            if write.abandoned:
                self.finished(write)
                continue
            size += len(write.document)
            if batch and size > self._max_bytes:
                self.queue[write] = None
                self.queue.move_to_end(write, last=False)
                break
            batch.append(write)
        return batch

    def withdraw(self, operation: Operation[bool]) -> None:
        if operation in self.queue:
            del self.queue[operation]
            self.finished(operation)
        else:
            assert isinstance(operation, _Write)
            self._turns.withdraw(operation.id, operation)

    def finished(self, operation: Operation[bool], may_land_for: float = 0.0) -> None:
        self._turns.leave(operation.id, may_land_for)


class _Upserts(_WriteLane):
    """Answers whether the document was created. One unordered bulk serves many."""

    kind = "upsert"

    async def send(self, batch: Sequence[Operation[bool]]) -> None:
        documents = {write.id: write.document for write in batch}
        with translated_errors(), self.database.limits.writes():
            outcomes = await upsert(self.database.collection, documents)
        for write in batch:
            outcome = outcomes[write.id]
            if isinstance(outcome, bool):
                write.answer(outcome)
            else:
                write.fail(outcome)


class _Deletes(_WriteLane):
    """Answers whether there was a document. Each delete is sent alone.

    The database only counts all deletions of a command: of two deletes in one command, it would be
    unknown which one found its document.
    """

    kind = "delete"

    def __init__(self, turns: Turns, database: CollectionAccess, batching: Batching) -> None:
        super().__init__(turns, database, batching)
        self.capacity = 1

    async def send(self, batch: Sequence[Operation[bool]]) -> None:
        [write] = batch
        with translated_errors(), self.database.limits.writes():
            result = await self.database.model.find_one({"_id": write.id}).delete_one()
        write.answer(result is not None and result.deleted_count == 1)
