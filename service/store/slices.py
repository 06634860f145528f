"""Long work in slices, between which other requests run.

Threads would not do: the work holds the interpreter's lock.
"""

import asyncio
import gc
import time
from collections.abc import Generator
from typing import Any, TypeVar

Result = TypeVar("Result")

SECONDS = 0.01  # of a slice, unless a step takes longer
SMALL = 64 * 1024
"""Bytes: work on so few is done at once, if a slice is enough for it."""


class Slices:
    """Does large pieces of work one after the other: their values take many times as much memory as
    their bytes."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()

    async def run(self, work: Generator[None, None, Result], size: int) -> Result:
        """The result of the work, which yields where others may run. `size` are the bytes that it
        is about."""
        try:
            if size <= SMALL:
                _run_slice(work)
            async with self._turn:
                while True:
                    _run_slice(work)
                    await asyncio.sleep(0)
        except _DoneError as done:
            result: Result = done.result
            return result


class _DoneError(Exception):
    def __init__(self, result: Any) -> None:
        self.result = result


def _run_slice(work: Generator[None, None, Any]) -> None:
    """Raises `_DoneError` at the end of the work."""
    end = time.perf_counter() + SECONDS
    # The collector would look again and again at all the values, which takes several times as long
    # as the work itself.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        while time.perf_counter() < end:
            next(work)
    except StopIteration as stop:
        raise _DoneError(stop.value) from None
    finally:
        if was_enabled:
            gc.enable()
