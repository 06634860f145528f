"""Starting and stopping a played database."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from tests.support.database.answers import WAIT
from tests.support.database.roles import Role
from tests.support.database.server import PlayedDatabase


class Play(Protocol):
    """Starts a played database; with `forward` it asks the real one what it does not know."""

    def __call__(self, role: Role, *, forward: bool = False) -> PlayedDatabase: ...


@contextmanager
def played(role: Role, real: str | None = None) -> Iterator[PlayedDatabase]:
    """A database of this role, until the block ends. `real`: as in `PlayedDatabase`."""
    database = PlayedDatabase(role, real)
    started = threading.Event()
    found: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    def begin(loop: asyncio.AbstractEventLoop) -> None:
        task = asyncio.current_task()
        assert task is not None
        found.append((loop, task))
        started.set()

    def serve() -> None:
        with suppress(asyncio.CancelledError):
            asyncio.run(database.run(begin))

    thread = threading.Thread(target=serve, name="played database", daemon=True)
    thread.start()
    assert started.wait(WAIT)
    try:
        yield database
    finally:
        [(loop, task)] = found
        loop.call_soon_threadsafe(task.cancel)
        thread.join(WAIT)
        assert not thread.is_alive()
