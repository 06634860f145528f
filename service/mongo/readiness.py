"""Whether the database is ready for use, and why it is not: retries the setup until it is."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient
from pymongo.errors import PyMongoError, ServerSelectionTimeoutError

from service.errors import ConfigurationError, DatabaseUnavailable
from service.mongo.outages import cause, delays

log = logging.getLogger(__name__)

LOOK_INTERVAL = 1.0  # seconds between looks for a primary, while there is none


class Readiness:
    """Whether an attempt to set up the database has succeeded."""

    def __init__(
        self, client: MongoClient[RawBSONDocument], attempt: Callable[[], Awaitable[None]]
    ) -> None:
        """`attempt` raises `ConfigurationError`, if the settings have to be changed, and the
        driver's errors."""
        self._client = client
        self._attempt = attempt
        self._fault: str | None = None
        self._ready = asyncio.Event()

    @property
    def is_reached(self) -> bool:
        """Whether an attempt has succeeded."""
        return self._ready.is_set()

    def check(self) -> None:
        """Raises `DatabaseUnavailable` until an attempt has succeeded."""
        if not self.is_reached:
            raise DatabaseUnavailable(
                self._fault or "The database has not answered yet. Try again shortly."
            )

    async def wait(self, seconds: float) -> None:
        """Wait until an attempt has succeeded, at most this long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ready.wait()

    async def attempt(self) -> None:
        """One attempt. Raises what it raises."""
        await self._attempt()
        self._ready.set()

    async def reach(self) -> None:
        """Try until an attempt succeeds, and log why one does not."""
        for delay in delays():
            try:
                await self.attempt()
            except (ConfigurationError, PyMongoError) as error:
                self._fault = self.cause(error)
                log.warning("%s (%s) Next attempt in %.1f s.", self._fault, self._servers(), delay)
                await self._pause(delay, error)
            except Exception:  # e.g. a reply without a member that MongoDB's has
                log.exception("The database cannot be set up. Next attempt in %.1f s.", delay)
                await asyncio.sleep(delay)
            else:
                if self._fault is not None:
                    log.info("The database is available.")
                return

    def cause(self, error: BaseException | None) -> str:
        """Why the database cannot be used: a sentence without secrets."""
        if isinstance(error, ConfigurationError):
            return str(error)
        return cause(error, self._client.topology_description.server_descriptions().values())

    def _servers(self) -> str:
        known = self._client.topology_description.server_descriptions()
        return ", ".join(f"{host}:{port}" for host, port in known) or "no servers"

    async def _pause(self, seconds: float, error: Exception) -> None:
        """Wait; not for longer than until there is a primary, if there was none."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, LOOK_INTERVAL))
            if (
                isinstance(error, ServerSelectionTimeoutError)
                and self._client.topology_description.has_writable_server()
            ):
                return
