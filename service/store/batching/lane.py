"""A queue of operations, and the round trips that empty it."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic, TypeVar

from opentelemetry.trace import Span, get_current_span

from service.documents.ids import Id
from service.mongo.access import CollectionAccess
from service.mongo.faults import is_absence, is_refusal
from service.observability import metrics
from service.observability.tracing import batch_span
from service.store.batching.bounds import Batching
from service.store.batching.waiters import Waiters

Answer = TypeVar("Answer")

OVERDUE = 0.1
"""Seconds after which an operation gets another round trip, however few wait with it: the current
one may hang."""


@dataclass(slots=True, eq=False)
class Operation(Generic[Answer]):
    """What to do with one document, and the requests that wait for it."""

    id: Id
    document: bytes = b""
    since: float = 0.0  # when it arrived, by the clock of the event loop
    waiters: list[asyncio.Future[Answer]] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)
    error: Exception | None = None  # why it failed

    def answer(self, answer: Answer) -> None:
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_result(answer)

    def fail(self, error: Exception) -> None:
        self.error = error
        for waiter in self.waiters:
            if not waiter.done():
                waiter.set_exception(error)

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for it any more."""
        return all(map(asyncio.Future.done, self.waiters))


class Lane(ABC, Generic[Answer]):
    """Sends operations of one kind in batches, with a bounded number of round trips at once: that
    of its places, which the lanes of other collections take too."""

    kind: ClassVar[str]
    patience: ClassVar[float] = 0.005
    """Seconds that operations wait for a round trip to end before another may be started beside it.
    One after the other, each serves more; but no operation should wait for a distant database
    twice. Writes wait longer: the embedded engine does them one after the other anyway."""
    capacity: int
    """How many operations a batch has at most."""

    def __init__(self, database: CollectionAccess, batching: Batching) -> None:
        self.database = database
        self._places = batching.places[self.kind]
        self._is_traced = batching.settings.tracing
        self._tasks = batching.tasks
        self._loop = loop = asyncio.get_running_loop()
        self._waiters = Waiters(loop, batching.settings.operation_timeout)
        self._documents = metrics.batch_documents.labels(self.kind)
        self._seconds = metrics.round_trip_seconds.labels(self.kind)
        self._round_trips = 0  # under way
        self._under_way = 0  # operations that they serve
        self._is_starting = False
        self._patience: asyncio.TimerHandle | None = None

    @property
    @abstractmethod
    def queued(self) -> int:
        """How many operations are in the queue."""

    @property
    @abstractmethod
    def oldest(self) -> Operation[Answer]:
        """The operation that is first in the queue."""

    @abstractmethod
    def next_batch(self) -> list[Operation[Answer]]:
        """Take a batch off the queue, without abandoned operations. Empty if nothing is left."""

    @abstractmethod
    async def send(self, batch: Sequence[Operation[Answer]]) -> None:
        """Answer each operation of the batch, or fail it. Raises an error that concerns all the
        others."""

    @abstractmethod
    def withdraw(self, operation: Operation[Answer]) -> None:
        """Forget an abandoned operation, unless it was sent."""

    def finished(self, operation: Operation[Answer], may_land_for: float = 0.0) -> None:
        """Called when the operation will not be sent (again).

        It may still take effect within `may_land_for` seconds.
        """

    async def wait(self, operation: Operation[Answer]) -> Answer:
        """Wait until the operation, which is in the queue or waits for its turn, is done.

        Raises `DatabaseUnavailable` when that takes longer than an operation may.
        """
        waiter: asyncio.Future[Answer] = self._loop.create_future()
        if not operation.waiters:
            operation.since = self._loop.time()
        operation.waiters.append(waiter)
        if self._is_traced:
            operation.spans.append(get_current_span())
        self._waiters.add(waiter)
        self.wake()
        try:
            return await waiter
        except BaseException:
            if operation.abandoned:
                self.withdraw(operation)
            raise
        finally:
            self._waiters.remove(waiter)

    def wake(self) -> None:
        """Make sure that the queue will be sent."""
        if self._is_starting or self._round_trips == self._places.count or not self.queued:
            return
        if self._round_trips == 0 or self.queued >= self.capacity:
            self._start()
        elif self._patience is None:
            self._patience = self._loop.call_later(self.patience, self._start_beside)

    def _start_beside(self) -> None:
        """Start another round trip if it serves no fewer operations than those under way, or if the
        oldest is overdue."""
        self._patience = None
        if self._is_starting or self._round_trips == self._places.count or not self.queued:
            return
        if self.queued >= self._under_way or self._loop.time() - self.oldest.since >= OVERDUE:
            self._start()
        else:
            self.wake()

    def begin(self) -> None:
        """A place has become free, for which this lane has waited."""
        if self.queued and not self._is_starting:
            self._start()

    def _start(self) -> None:
        if not self._places.take(self):
            return
        self._is_starting = True
        self._round_trips += 1
        self._tasks.create_task(self._make_round_trips())

    async def _make_round_trips(self) -> None:
        """Make one round trip after the other until nothing waits, or another lane wants the
        place."""
        # This iteration of the event loop has now brought all of its requests.
        self._is_starting = False
        while batch := self.next_batch():
            if self._patience is not None:
                self._patience.cancel()
                self._patience = None
            self._under_way += len(batch)
            if self.queued:
                self.wake()
            await self._settle(batch)
            self._under_way -= len(batch)
            if self._places.are_wanted:
                break
        self._round_trips -= 1
        self._places.give_back()
        self.wake()

    async def _settle(self, batch: Sequence[Operation[Answer]]) -> None:
        """Answer each operation of the batch, or fail it. Ends when the driver's thread has."""
        self._documents.observe(len(batch))
        started = time.monotonic()
        try:
            spans = [span for operation in batch for span in operation.spans]
            with self._seconds.time(), batch_span(self.kind, len(batch), spans):
                await self.send(batch)
        except Exception as error:
            if len(batch) > 1 and is_refusal(error):
                await self._settle_each(batch)
                return
            for operation in batch:
                operation.fail(error)
            if is_absence(error):
                self._fail_waiting(error)
        for operation in batch:
            self.finished(operation, self._may_land_for(operation.error, started))

    def _may_land_for(self, error: Exception | None, started: float) -> float:
        return 0.0 if error is None else self.database.limits.may_land_for(error, started)

    async def _settle_each(self, batch: Sequence[Operation[Answer]]) -> None:
        """Send each operation alone: the database refused the batch, perhaps because of one of
        them."""
        for operation in batch:
            if operation.abandoned:
                self.finished(operation)
            else:
                await self._settle([operation])

    def _fail_waiting(self, error: Exception) -> None:
        """Fail everything in the queue: there is no database, and finding that out again takes
        time."""
        while batch := self.next_batch():
            for operation in batch:
                operation.fail(error)
                self.finished(operation)
