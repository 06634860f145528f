"""Bounded shares of the driver's threads, so that slow calls of one kind do not delay another kind.

Motor runs each call in a thread. Cancelling its future does not stop the thread: a share is held
until the thread has returned.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

Result = TypeVar("Result")

POINT_CALLS = 16  # of one document, outside the batches: views, conditional writes, patches
QUERY_CALLS = 8  # pages, counts, streams, deletions by a filter
LOAD_CALLS = 4
COMMITS = 8  # which make one call after the other, and keep their place until they end
PING_CALLS = 2  # of `/readyz`, which must not depend on the other calls


class Share:
    """A bounded number of concurrent calls of the driver; others wait for one of them to end."""

    def __init__(self, calls: int) -> None:
        self._room = asyncio.Semaphore(calls)
        self._under_way: set[asyncio.Future[Any]] = set()

    async def start(self, call: Callable[[], Awaitable[Result]]) -> asyncio.Future[Result]:
        """Make the call as soon as there is room. The future is done when its thread has returned.
        Do not cancel it: await it under `asyncio.shield`."""
        await self._room.acquire()
        try:
            future = asyncio.ensure_future(call())
        except BaseException:
            self._room.release()
            raise
        self._under_way.add(future)
        future.add_done_callback(self._end)
        return future

    async def run(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Make the call as soon as there is room. It continues if this is cancelled."""
        return await asyncio.shield(await self.start(call))

    def _end(self, future: asyncio.Future[Any]) -> None:
        self._under_way.discard(future)
        self._room.release()
        if not future.cancelled():
            future.exception()  # retrieved, since nobody may wait for it any more
