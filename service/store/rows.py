"""Updates of one document that wait for their turn go in a row: one thread of the driver sends them
one after the other. The ways between the event loop and threads would take as long as they do.
Increments are made as one update, where their outcomes can be told from it (`updates.counting`).

A row enters the turns when its first update arrives. Others join it until it begins, as long as no
other write of the document has arrived after it: so the order of arrival holds.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from service.documents.ids import Id
from service.documents.metadata import Layout
from service.documents.updates import Update, counting
from service.mongo.access import CollectionAccess, ThreadCollection
from service.mongo.constraints import Constraints
from service.mongo.faults import is_refused
from service.mongo.updates import Updated, update, upsert
from service.store.calls import Calls
from service.store.turns import Turns

MAX_UPDATES = 64
SECONDS = 0.02
"""After which a thread makes way for other calls, and requests are answered. The updates after that
have a time limit anew."""

_Outcome: TypeAlias = Updated | Exception | None


class Rows:
    """The rows of a collection, each from its first update until its last."""

    def __init__(self, database: CollectionAccess, turns: Turns, layout: Layout) -> None:
        self._database = database
        self._turns = turns
        self._layout = layout
        self._constraints = Constraints()
        self._open: dict[Id, _Row] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def update(self, id: Id, change: Update) -> Updated | None:
        """The document after the operators; None if there is none, or, of an upsert, if another
        writer has just created it. Raises the driver's errors.

        If this is cancelled, the update is not sent, or it may take effect.
        """
        operation = _Operation(change)
        row = self._open.get(id)
        if row is not None and row.takes_more():
            row.operations.append(operation)
        else:
            row = self._open[id] = _Row(
                self._database, self._turns, self._layout, self._constraints, id, self._begin
            )
            row.operations.append(operation)
            row.enter()
        try:
            return await operation.answer
        except asyncio.CancelledError:
            if row.withdraw(operation):
                self._close(row)
            raise

    def _close(self, row: "_Row") -> None:
        if self._open.get(row.id) is row:
            del self._open[row.id]

    def _begin(self, row: "_Row") -> None:
        self._close(row)
        task = asyncio.get_running_loop().create_task(row.run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@dataclass(slots=True, eq=False)
class _Operation:
    """An update, and the future of the request that waits for it."""

    update: Update
    answer: "asyncio.Future[Updated | None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def finish(self, outcome: _Outcome) -> None:
        if self.answer.done():
            return
        if isinstance(outcome, Exception):
            self.answer.set_exception(outcome)
        else:
            self.answer.set_result(outcome)


class _Row(Calls):
    """Updates of one document, in the order of their arrival."""

    def __init__(
        self,
        database: CollectionAccess,
        turns: Turns,
        layout: Layout,
        constraints: Constraints,
        id: Id,
        begun: "Callable[[_Row], None]",
    ) -> None:
        """`begun` is called when its turn begins, and has to `run` it."""
        super().__init__(database, database.points)
        self.id = id
        self.operations: deque[_Operation] = deque()
        self._turns = turns
        self._layout = layout
        self._constraints = constraints
        self._begun = begun
        self._has_begun = False

    def takes_more(self) -> bool:
        """Whether an update that arrives now may join."""
        return len(self.operations) < MAX_UPDATES and self._turns.is_last(self.id, self)

    def enter(self) -> None:
        if self._turns.enter(self.id, self):
            self.begin()

    def begin(self) -> None:
        self._has_begun = True
        self._begun(self)

    def withdraw(self, operation: _Operation) -> bool:
        """Forget an update that nobody waits for any more, unless the row has begun. Returns
        whether it was the last one, so that the row does not wait any more."""
        if self._has_begun:
            return False
        self.operations.remove(operation)
        return not self.operations and self._turns.withdraw(self.id, self)

    def left(self, delay: float) -> None:
        self._turns.leave(self.id, delay)

    async def __aenter__(self) -> "_Row":
        return self

    async def run(self) -> None:
        """Send the updates. One that was not answered is over before the next one is sent."""
        async with self:
            while self.operations:
                started = time.monotonic()
                try:
                    outcomes = await self.write(lambda: self._database.in_thread(self._send))
                except Exception as fault:  # of all of them, such as that there is no database yet
                    self._fail(fault)
                    return
                for operation, outcome in outcomes:
                    operation.finish(outcome)
                if outcomes and isinstance(error := outcomes[-1][1], Exception):
                    await asyncio.sleep(self.may_land_for(error, started))

    def _send(self, collection: ThreadCollection) -> list[tuple[_Operation, _Outcome]]:
        """In a thread: send updates for a while, or until one of them fails. Returns what became of
        them all at once: an event loop that is awake keeps the interpreter from the thread."""
        outcomes: list[tuple[_Operation, _Outcome]] = []
        end = time.monotonic() + SECONDS
        counts = True
        while self.operations and time.monotonic() < end:
            operation = self.operations.popleft()
            if operation.answer.done():  # nobody waits for it any more
                continue
            outcomes.append((operation, self._send_one(collection, operation.update)))
            outcome = outcomes[-1][1]
            if counts and isinstance(outcome, Updated):
                counted = self._count(collection, outcome.bson)
                outcomes += counted
                counts = bool(counted)
            if isinstance(outcomes[-1][1], Exception):
                break
        return outcomes

    def _send_one(self, collection: ThreadCollection, change: Update) -> _Outcome:
        try:
            operators = change.encoded(self._layout.mark())
            updated = update(collection, self.id, operators)
            if updated is None and change.upsert:
                updated = upsert(collection, self.id, operators)
        except Exception as error:
            return error
        return updated

    def _count(
        self, collection: ThreadCollection, document: bytes
    ) -> list[tuple[_Operation, _Outcome]]:
        """Make the increments that come next as one, of the document (BSON) that the last update
        has left. Returns nothing if they have to be sent one after the other."""
        self.operations = deque(each for each in self.operations if not each.answer.done())
        together = counting([each.update.amounts for each in self.operations], document)
        if together is None or self._constraints.concern(collection, together.condition):
            return []
        operators, condition = together.encoded(self._layout.mark()), together.condition
        outcomes: Sequence[_Outcome]
        try:
            updated = update(collection, self.id, operators, condition)
        except Exception as error:
            if is_refused(error):
                return []
            outcomes = [error] * len(together)
        else:
            if updated is None:  # another program has changed it meanwhile
                return []
            left = together.outcomes(updated.bson)
            outcomes = [Updated(each, created=False) for each in left]
        return [(self.operations.popleft(), outcome) for outcome in outcomes]

    def _fail(self, fault: Exception) -> None:
        while self.operations:
            self.operations.popleft().finish(fault)
