"""Waiting for what another thread does."""

import asyncio
from collections.abc import Callable
from contextlib import suppress


class Signal:
    """Wakes all who wait for something, in whichever thread and event loop."""

    def __init__(self) -> None:
        self._waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = set()

    def notify(self) -> None:
        """Something has happened. From any thread."""
        for loop, event in list(self._waiting):
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(event.set)

    async def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until the condition holds, which is looked at after each `notify`; False if it does
        not within that time."""
        waiter = asyncio.get_running_loop(), asyncio.Event()
        self._waiting.add(waiter)
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    await waiter[1].wait()
                    waiter[1].clear()
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(waiter)
        return True
