"""Knowing that the service is about to stop, while requests are still under way."""

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_stop(callback: Callable[[], None]) -> Iterator[None]:
    """Have the callback called, in the event loop, when a signal tells the server to stop.

    The server ends the lifespan only when all requests are done, which those that last for ever
    would never be. Its own handlers are called as before; where there are none, as in tests, or
    outside the main thread, this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    handlers: dict[int, Any] = {}

    def handle(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(callback)
        handlers[number](number, frame)

    for stop in SIGNALS:
        handler = signal.getsignal(stop)
        if callable(handler):
            handlers[stop] = handler
            signal.signal(stop, handle)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, handler)
