"""Unconditional writes by id."""

import asyncio
from collections import deque
from collections.abc import Sequence

from service.mongo.database import Database
from service.settings import Settings
from service.store.batching.lane import Lane, Operation
from service.store.upserts import upsert


class Writes:
    """Puts and deletes, those of one id in their order of arrival."""

    def __init__(self, database: Database, settings: Settings, tasks: asyncio.TaskGroup) -> None:
        self._order = _Order()
        self._upserts = _Upserts(self._order, database, settings, tasks)
        self._deletes = _Deletes(self._order, database, settings, tasks)

    async def put(self, id: str, document: bytes) -> bool:
        """Store the document (BSON). Returns whether it was created; else it replaced another.

        Raises `DatabaseUnavailable`, `DocumentRejected`, `DuplicateKey` and `WriteConflict`.
        """
        return await self._write(self._upserts, Operation(id, document))

    async def delete(self, id: str) -> bool:
        """Delete the document. Returns whether there was one. Raises `DatabaseUnavailable`."""
        return await self._write(self._deletes, Operation(id))

    async def _write(self, lane: "_WriteLane", write: Operation[bool]) -> bool:
        self._order.enter(lane, write)
        return await lane.wait(write)


class _Order:
    """Lets the writes of one id go one after the other."""

    def __init__(self) -> None:
        # By the id of each write that is in a queue or on its way: those that stand behind it.
        self._behind: dict[str, deque[tuple[_WriteLane, Operation[bool]]]] = {}

    def enter(self, lane: "_WriteLane", write: Operation[bool]) -> None:
        """Queue the write in its lane, now or when it is its turn."""
        behind = self._behind.get(write.id)
        if behind is None:
            self._behind[write.id] = deque()
            lane.queue.append(write)
        else:
            behind.append((lane, write))

    def leave(self, id: str) -> None:
        """The write of this id that went first is done: let the next one go."""
        behind = self._behind[id]
        if behind:
            lane, write = behind.popleft()
            lane.queue.append(write)
            lane.wake()
        else:
            del self._behind[id]


class _WriteLane(Lane[bool]):
    """Writes of one kind, no two of one id."""

    def __init__(
        self, order: _Order, database: Database, settings: Settings, tasks: asyncio.TaskGroup
    ) -> None:
        super().__init__(database, settings, tasks)
        self._order = order
        self.queue: deque[Operation[bool]] = deque()
        self._max_count = settings.batch_count
        self._max_bytes = settings.batch_bytes

    @property
    def capacity(self) -> int:
        return self._max_count

    @property
    def queued(self) -> int:
        return len(self.queue)

    def next_batch(self) -> list[Operation[bool]]:
        batch: list[Operation[bool]] = []
        size = 0
        while self.queue and len(batch) < self.capacity:
            write = self.queue[0]
            if write.abandoned:
                self.queue.popleft()
                self.finished(write)
                continue
            size += len(write.document)
            if batch and size > self._max_bytes:
                break
            batch.append(self.queue.popleft())
        return batch

    def finished(self, operation: Operation[bool]) -> None:
        self._order.leave(operation.id)


class _Upserts(_WriteLane):
    """Answers whether the document was created. One unordered bulk serves many."""

    kind = "upsert"

    async def send(self, batch: Sequence[Operation[bool]]) -> None:
        documents = {write.id: write.document for write in batch}
        async with self.database.operation():
            outcomes = await upsert(self.database.collection, documents)
        for write in batch:
            outcome = outcomes[write.id]
            if isinstance(outcome, bool):
                write.answer(outcome)
            else:
                write.fail(outcome)


class _Deletes(_WriteLane):
    """Answers whether there was a document. A delete goes alone.

    The database counts in total what a command deletes: of two in one command it would not be known
    whose document it was.
    """

    kind = "delete"
    capacity = 1

    async def send(self, batch: Sequence[Operation[bool]]) -> None:
        [write] = batch
        async with self.database.operation():
            result = await self.database.model.find_one({"_id": write.id}).delete_one()
        write.answer(result is not None and result.deleted_count == 1)
