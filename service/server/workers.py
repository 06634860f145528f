"""Worker processes do not outlive the process that started them."""

import asyncio
import multiprocessing
import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def leave_with_parent() -> Iterator[None]:
    """In a worker process: stop serving, as on SIGTERM, when the parent is gone.

    A parent that was killed cannot tell its workers; they would go on to hold the port. In any
    other process this does nothing. For use inside a running event loop.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        yield
        return
    loop = asyncio.get_running_loop()

    def leave() -> None:
        loop.remove_reader(parent.sentinel)
        signal.raise_signal(signal.SIGTERM)

    loop.add_reader(parent.sentinel, leave)
    try:
        yield
    finally:
        loop.remove_reader(parent.sentinel)
