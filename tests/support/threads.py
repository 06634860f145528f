"""Clients in threads of their own, which end with the block that needs them."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.support.patience import TIMEOUT


@contextmanager
def meanwhile(function: Callable[[int, threading.Event], object], count: int) -> Iterator[None]:
    """Run it in as many threads as told until the block ends, also by a failure: each is given its
    number, and an event that tells it to end. Raises what one of them raises."""
    done = threading.Event()
    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(function, number, done) for number in range(count)]
        try:
            yield
        finally:
            done.set()
    for future in futures:
        future.result()


def at_once(functions: list[Callable[[], object]]) -> None:
    """Call them all at one moment, wait for all, and raise what one of them raises."""
    barrier = threading.Barrier(len(functions), timeout=TIMEOUT)

    def call(function: Callable[[], object]) -> None:
        barrier.wait()
        function()

    with ThreadPoolExecutor(len(functions)) as pool:
        futures = [pool.submit(call, function) for function in functions]
    for future in futures:
        future.result()
