"""Turns: the writes of one id go one after the other, in the order of their arrival.

A turn does not end when its client is answered, but when none of its calls of the driver can take
effect any more: Motor's threads continue when their futures are cancelled, and the database may
carry out what was sent even if nobody waits for it. Turns do not wait for the writes of other
processes.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection
from functools import partial
from types import TracebackType
from typing import Any, Protocol, TypeVar

from service.mongo.database import Database
from service.mongo.shares import Share

Result = TypeVar("Result")


class Claimant(Protocol):
    """A write that waits for its turn."""

    def begin(self) -> None:
        """Called once, when its turn begins; `Turns.leave` must follow."""


class Turns:
    """The turns of all documents of a collection in this process.

    Keeps an entry for an id only during a turn; claimants that stop waiting withdraw.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        # The waiting claimants by the id of the write that has its turn; None before the first one.
        self._waiting: dict[str, OrderedDict[Claimant, None] | None] = {}

    def enter(self, id: str, claimant: Claimant) -> bool:
        """Whether the claimant's turn begins at once; otherwise its `begin` is called later."""
        if id not in self._waiting:
            self._waiting[id] = None
            return True
        waiting = self._waiting[id]
        if waiting is None:
            waiting = self._waiting[id] = OrderedDict()
        waiting[claimant] = None
        return False

    def withdraw(self, id: str, claimant: Claimant) -> bool:
        """Stop waiting. False if the claimant did not wait, e.g. because it has its turn."""
        waiting = self._waiting.get(id)
        if not waiting or claimant not in waiting:
            return False
        del waiting[claimant]
        return True

    def leave(self, id: str, delay: float = 0.0) -> None:
        """End the turn, `delay` seconds from now, and begin the next one."""
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, self.leave, id)
            return
        waiting = self._waiting[id]
        if waiting:
            claimant, _ = waiting.popitem(last=False)
            claimant.begin()
        else:
            del self._waiting[id]

    def turn(self, ids: Collection[str], share: Share) -> "Turn":
        """The turn of all these ids at once; its calls are made in the share."""
        return Turn(self, self._database, ids, share)


class Turn:
    """A context in which some documents may be written. Entering waits for the turn of each.

    It enters all queues at once, so that no two turns can wait for each other.
    """

    def __init__(
        self, turns: Turns, database: Database, ids: Collection[str], share: Share
    ) -> None:
        self._turns = turns
        self._database = database
        self._ids = ids
        self._share = share
        self._missing = 0
        self._begun: asyncio.Future[None] | None = None
        self._calls = 0  # under way
        self._is_over = False
        self._quiet_at = 0.0  # when none of the calls that have ended can take effect any more

    def begin(self) -> None:
        self._missing -= 1
        if self._missing == 0 and self._begun is not None and not self._begun.done():
            self._begun.set_result(None)

    async def __aenter__(self) -> "Turn":
        self._missing = sum(not self._turns.enter(id, self) for id in self._ids)
        if self._missing:
            self._begun = asyncio.get_running_loop().create_future()
            try:
                await self._begun
            except BaseException:
                for id in self._ids:
                    if not self._turns.withdraw(id, self):
                        self._turns.leave(id)
                raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over = True
        self._leave()

    async def write(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Make a call of the driver that writes. If this is cancelled, the call continues, and the
        turn lasts until it has ended."""
        future = await self._share.start(partial(_within, self._database, call))
        self._calls += 1
        future.add_done_callback(partial(self._end, time.monotonic()))
        return await asyncio.shield(future)

    def _end(self, started: float, future: "asyncio.Future[Any]") -> None:
        self._calls -= 1
        if not future.cancelled() and (error := future.exception()) is not None:
            delay = self._database.limits.may_land_for(error, started)
            self._quiet_at = max(self._quiet_at, time.monotonic() + delay)
        if self._is_over:
            self._leave()

    def _leave(self) -> None:
        if self._calls == 0:
            delay = self._quiet_at - time.monotonic() if self._quiet_at else 0.0
            for id in self._ids:
                self._turns.leave(id, delay)


def _within(database: Database, call: Callable[[], Awaitable[Result]]) -> "asyncio.Future[Result]":
    with database.limits.writes():
        return asyncio.ensure_future(call())  # which keeps the limit as a part of its context
