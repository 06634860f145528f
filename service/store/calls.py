"""Calls of the driver that write. They continue even if the request that made them is cancelled."""

import asyncio
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from functools import partial
from types import TracebackType
from typing import Any, TypeVar

from service.mongo.access import CollectionAccess
from service.mongo.shares import Share

Result = TypeVar("Result")


class Calls(ABC):
    """A context in which calls of the driver write. It may be left before they have ended."""

    def __init__(self, database: CollectionAccess, share: Share) -> None:
        self._database = database
        self._share = share
        self._calls = 0  # under way
        self._is_over = False
        self._quiet_at = 0.0  # when none of the calls that have ended can take effect any more

    @abstractmethod
    def left(self, delay: float) -> None:
        """Called when the context was left and its calls have ended. None of them can take effect
        after `delay` seconds from now."""

    def may_land_for(self, error: BaseException, started: float) -> float:
        """For how many seconds from now a call that ended with this error may take effect."""
        return self._database.limits.may_land_for(error, started)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over = True
        self._close()

    async def write(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Make a call of the driver that writes. If this is cancelled, the call continues, and the
        context lasts until it has ended."""
        future = await self._share.start(partial(_within, self._database, call))
        self._calls += 1
        future.add_done_callback(partial(self._end, time.monotonic()))
        return await asyncio.shield(future)

    def _end(self, started: float, future: "asyncio.Future[Any]") -> None:
        self._calls -= 1
        if not future.cancelled() and (error := future.exception()) is not None:
            delay = self.may_land_for(error, started)
            self._quiet_at = max(self._quiet_at, time.monotonic() + delay)
        if self._is_over:
            self._close()

    def _close(self) -> None:
        if self._calls == 0:
            self.left(self._quiet_at - time.monotonic() if self._quiet_at else 0.0)


def _within(
    database: CollectionAccess, call: Callable[[], Awaitable[Result]]
) -> "asyncio.Future[Result]":
    with database.limits.writes():
        return asyncio.ensure_future(call())  # which keeps the limit as a part of its context
