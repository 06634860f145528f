"""Which MongoDB is used: the one at STUFF_MONGODB_URI, or else the embedded engine."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from service.errors import EngineError
from service.server.engine import EmbeddedEngine, find_running, has_data
from service.settings import Settings


@dataclass(frozen=True, slots=True)
class MongoDB:
    """A MongoDB to connect to. Its text says which it is, without the user's name and password."""

    uri: str
    data_dir: Path | None = None
    """The data directory of the embedded engine; None for another MongoDB."""

    @property
    def is_embedded(self) -> bool:
        return self.data_dir is not None

    def __str__(self) -> str:
        if self.data_dir is not None:
            return f"the embedded engine, data in {self.data_dir.absolute()}"
        return f"the MongoDB at {urlsplit(self.uri).netloc.rpartition('@')[2]}"


@contextmanager
def running_mongodb(settings: Settings) -> Iterator[MongoDB]:
    """The MongoDB of the settings. The embedded engine is started, and stopped at the end.

    Raises `EngineError`, also if another process has started the engine on the data directory.
    """
    if settings.mongodb_uri is not None:
        yield MongoDB(settings.mongodb_uri.get_secret_value())
        return
    engine = EmbeddedEngine(settings.data_dir)
    uri = engine.start()
    try:
        yield MongoDB(uri, settings.data_dir)
    finally:
        engine.stop()


@contextmanager
def shared_mongodb(settings: Settings) -> Iterator[MongoDB]:
    """The same, but an engine that another process has started on the data directory is used, and
    no data directory is made. Raises `EngineError` if there is none."""
    if settings.mongodb_uri is None:
        running = find_running(settings.data_dir)
        if running is not None:
            yield MongoDB(running, settings.data_dir)
            return
        if not has_data(settings.data_dir):
            raise EngineError(
                f"No service has kept documents in {settings.data_dir.absolute()}. Name another "
                "directory with STUFF_DATA_DIR, or a MongoDB with STUFF_MONGODB_URI."
            )
    with running_mongodb(settings) as own:
        yield own


@asynccontextmanager
async def open_mongodb(settings: Settings) -> AsyncIterator[MongoDB]:
    """`running_mongodb` for an event loop, which starting and stopping the engine would block."""
    context = running_mongodb(settings)
    found = await asyncio.to_thread(context.__enter__)
    try:
        yield found
    finally:
        await asyncio.to_thread(context.__exit__, None, None, None)
