"""When a process of the service stops: shutdown notification for long-lived responses, and worker
processes that end with their parent.

Both work inside a running event loop, in the main thread.
"""

import asyncio
import multiprocessing
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextmanager
def on_stop(callback: Callable[[], None]) -> Iterator[None]:
    """Call the callback, in the event loop, when a signal tells the server to stop.

    The server ends the lifespan when all requests are done, and a feed never ends by itself. The
    server's own handlers are called as before. Without them, as in tests, or outside the main
    thread, this does nothing.
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


@contextmanager
def stop_with_parent() -> Iterator[None]:
    """In a worker process: stop serving, as on SIGTERM, when the parent process has ended.

    A parent that was killed cannot tell its workers to stop, so they would keep the port. In any
    other process this does nothing.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def stop() -> None:
        loop.remove_reader(parent.sentinel)
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(parent.sentinel, stop)
    try:
        yield
    finally:
        loop.remove_reader(parent.sentinel)
