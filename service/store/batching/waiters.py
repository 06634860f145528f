"""How long requests wait for the database."""

import asyncio
from collections import OrderedDict
from typing import Any

from service.errors import DatabaseUnavailable

TICK = 0.001
"""Seconds: the resolution of uvloop's clock."""


class Waiters:
    """Futures that fail with `DatabaseUnavailable` unless they are done in time.

    All have the same time, so they expire in the order of their arrival, and one timer is enough.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self._loop = loop
        self._seconds = seconds
        self._waiting: OrderedDict[asyncio.Future[Any], float] = OrderedDict()
        self._timer: asyncio.TimerHandle | None = None

    def add(self, waiter: asyncio.Future[Any]) -> None:
        """Start the time of this future; `remove` must follow."""
        self._waiting[waiter] = self._loop.time() + self._seconds
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._expire)

    def remove(self, waiter: asyncio.Future[Any]) -> None:
        """Its time does not count any more."""
        self._waiting.pop(waiter, None)

    def _expire(self) -> None:
        self._timer = None
        now = self._loop.time() + TICK
        while self._waiting:
            waiter, due = next(iter(self._waiting.items()))
            if due > now:
                self._timer = self._loop.call_at(due, self._expire)
                return
            del self._waiting[waiter]
            if not waiter.done():
                waiter.set_exception(DatabaseUnavailable("The database took too long. Try again."))
