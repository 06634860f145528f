"""Time limits of a connection: for what the client sends, and for what it reads."""

import asyncio
from collections.abc import Callable
from math import inf

TICK = 0.001
"""Seconds: the resolution of uvloop's clock."""
PART = 64 * 1024
"""Bytes that a client reads in time even if it is slow."""


class Deadline:
    """A moment at which a callback is called, unless another moment is set before.

    A connection sets its deadline several times in each request, so setting it must be cheap: the
    timer of the event loop is moved only when it would be late. When it is early, it is set again.
    """

    __slots__ = ("_armed", "_callback", "_due", "_loop", "_timer")

    def __init__(self, loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
        self._loop = loop
        self._callback = callback
        self._due = self._armed = inf
        self._timer: asyncio.TimerHandle | None = None

    def set(self, seconds: float) -> None:
        """Call back after so many seconds, and at no earlier moment."""
        self._due = due = self._loop.time() + seconds
        if due < self._armed:
            self._arm(due)

    def clear(self) -> None:
        """Do not call back."""
        self._due = inf

    def stop(self) -> None:
        """Do not call back, and keep no timer."""
        self._due = self._armed = inf
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(due, self._check)
        self._armed = due

    def _check(self) -> None:
        self._timer, self._armed = None, inf
        if self._loop.time() >= self._due - TICK:
            self._due = inf
            self._callback()
        elif self._due < inf:
            self._arm(self._due)


class Unread:
    """Watches what was written to a client that does not read it, and gives the client up.

    In each period the client has to read a tenth of what was waiting at first, and no less than
    `PART`, or all of it. So a client with a slow connection gets a large response, and one that
    reads a byte now and then does not keep it in memory.
    """

    __slots__ = ("_callback", "_least", "_loop", "_seconds", "_size", "_timer", "_transport")

    def __init__(
        self, transport: asyncio.Transport, seconds: float, callback: Callable[[], None]
    ) -> None:
        self._transport = transport
        self._seconds = seconds
        self._callback = callback
        self._loop = asyncio.get_running_loop()
        self._size = self._least = 0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Call back unless the client reads. Does nothing if that is being watched."""
        if self._timer is None:
            self._size = self._transport.get_write_buffer_size()
            self._least = max(PART, self._size // 10)
            self._timer = self._loop.call_later(self._seconds, self._check)

    def stop(self) -> None:
        """Do not call back: the client has read, or is gone."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        size = self._transport.get_write_buffer_size()
        if self._size - size >= self._least:
            self._size = size
            self._timer = self._loop.call_later(self._seconds, self._check)
        else:
            self._timer = None
            self._callback()
