"""Reads by id."""

from collections import OrderedDict
from collections.abc import Awaitable, Sequence

from service.documents.ids import Id, Key, key_in
from service.mongo.access import CollectionAccess
from service.mongo.faults import translated_errors
from service.store.batching.bounds import Batching
from service.store.batching.lane import Lane, Operation


class Reads(Lane[bytes | None]):
    """Reads of one id that wait together are one operation."""

    kind = "read"
    patience = 0.001  # the resolution of uvloop's clock

    def __init__(self, database: CollectionAccess, batching: Batching) -> None:
        super().__init__(database, batching)
        self._max_count = batching.max_count
        self._max_bytes = batching.max_bytes
        self._usual_size = 0.0  # of a document, in bytes, estimated from the last replies
        self.capacity = self._max_count
        self._queue: OrderedDict[Key, Operation[bytes | None]] = OrderedDict()

    def find(self, id: Id) -> Awaitable[bytes | None]:
        """The document as BSON, None if there is none. Raises `DatabaseUnavailable`. What this
        returns must be awaited at once."""
        operation = self._queue.get(id)
        if operation is None:
            operation = self._queue[id] = Operation(id)
        return self.wait(operation)

    @property
    def queued(self) -> int:
        return len(self._queue)

    @property
    def oldest(self) -> Operation[bytes | None]:
        return next(iter(self._queue.values()))

    def next_batch(self) -> list[Operation[bytes | None]]:
        batch: list[Operation[bytes | None]] = []
        while self._queue and len(batch) < self.capacity:
            _, operation = self._queue.popitem(last=False)
            if not operation.abandoned:
                batch.append(operation)
        return batch

    def withdraw(self, operation: Operation[bytes | None]) -> None:
        if self._queue.get(operation.id) is operation:
            del self._queue[operation.id]

    async def send(self, batch: Sequence[Operation[bytes | None]]) -> None:
        missing: dict[Key, Operation[bytes | None]] = {each.id: each for each in batch}
        size = 0
        with translated_errors(), self.database.limits.reads():
            # A reply has 16 MB at most: its documents are answered while the rest is fetched.
            async for document in self.database.model.find_raw([each.id for each in batch]):
                size += len(document)
                operation = missing.pop(key_in(document), None)
                if operation is not None:
                    operation.answer(document)
        # The size of a document is only known when it has arrived. Large ones are better read in
        # parallel.
        self._usual_size += (size / len(batch) - self._usual_size) / 4
        self.capacity = min(self._max_count, max(1, int(self._max_bytes / (self._usual_size + 1))))
        for operation in missing.values():
            operation.answer(None)
