"""The Motor client and Beanie: set up in the lifespan, handed out by async dependencies."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import TypeAlias

import pymongo
from beanie import init_beanie
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import ReadPreference, WriteConcern
from pymongo.errors import OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from service.errors import DatabaseUnavailable, QueryTimeout
from service.mongo import MAX_THREADS
from service.mongo.capabilities import Capabilities, detect_capabilities
from service.mongo.faults import (
    BAD_QUERIES,
    TIME_LIMIT,
    bad_query,
    is_transient,
    translated_errors,
)
from service.mongo.limits import Limits, milliseconds
from service.mongo.model import StuffDocument, bind
from service.mongo.outages import as_fault
from service.mongo.readiness import Readiness
from service.mongo.reporting import report
from service.mongo.shares import COMMITS, LOAD_CALLS, PING_CALLS, POINT_CALLS, QUERY_CALLS, Share
from service.mongo.tracing import listeners
from service.settings import Settings
from service.settings.rules import RECORDS

log = logging.getLogger(__name__)

Client: TypeAlias = AsyncIOMotorClient[RawBSONDocument]
Model: TypeAlias = type[StuffDocument]

PING_TIMEOUT = 2.0  # seconds
TOO_LATE = "The database took too long. Try again."
CHECK_TIMEOUT = 3.0  # seconds to look for a primary before the service starts


class Database:
    """One client, and what all collections share of it. `CollectionAccess` is what one of them
    uses.

    It may be created while the database is unavailable: until Beanie is set up, every use raises
    `DatabaseUnavailable`, and the setup is retried in the background.
    """

    def __init__(self, settings: Settings, uri: str, collections: Iterable[str]) -> None:
        """`collections` are the names in the database of those that may be used."""
        self.client: Client = AsyncIOMotorClient(
            uri,
            appname="stuff",
            event_listeners=listeners(settings),
            document_class=RawBSONDocument,
            # A new primary is found within a second, even if the database does not announce it, and
            # a dead connection does not keep the monitor from trying another.
            serverMonitoringMode="poll",
            heartbeatFrequencyMS=1000,
            connectTimeoutMS=5000,
            serverSelectionTimeoutMS=milliseconds(settings.server_selection_timeout),
            # Bounds the threads that the driver works in, unless `limits` do.
            maxPoolSize=MAX_THREADS,
            socketTimeoutMS=milliseconds(settings.operation_timeout),
            waitQueueTimeoutMS=milliseconds(settings.operation_timeout),
        )
        self._database = self.client.get_database(
            settings.database,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            # Overrides the URI: acknowledged means that a majority has the write in its journal.
            write_concern=WriteConcern(w="majority", j=True),
        )
        self._served = [*collections]
        self.models: Mapping[str, Model] = {name: bind(name) for name in (*self._served, RECORDS)}
        self._operation_timeout = settings.operation_timeout
        self._selection_timeout = settings.server_selection_timeout
        self._capabilities = Capabilities()
        self.readiness = Readiness(self.client.delegate, self._set_up)
        self.limits = Limits(
            settings.operation_timeout,
            driver_retries=self.client.delegate.options.retry_writes,
        )
        self.points = Share(POINT_CALLS)
        self.queries = Share(QUERY_CALLS)
        self.loads = Share(LOAD_CALLS)
        self.commits = Share(COMMITS)
        self._pings = Share(PING_CALLS)

    async def ping(self) -> None:
        """Return if the primary answers. Raises `DatabaseUnavailable`, which says why not."""
        self.readiness.check()
        seconds = min(PING_TIMEOUT, self._operation_timeout)
        try:
            async with self.operation(seconds):
                with pymongo.timeout(seconds):
                    await self._pings.run(lambda: self.client.admin.command("ping"))
        except DatabaseUnavailable as error:
            raise DatabaseUnavailable(self.readiness.cause(error.__cause__)) from error

    @property
    def limits_patterns(self) -> bool:
        """Whether the database gives up matching a regular expression after a number of steps.
        Raises `DatabaseUnavailable` until the database has answered once."""
        self.readiness.check()
        return self._capabilities.limits_patterns

    @property
    def has_transactions(self) -> bool:
        return self._capabilities.has_transactions

    @property
    def journals_late(self) -> bool:
        return self._capabilities.journals_late

    @property
    def scans_for_expressions(self) -> bool:
        return self._capabilities.scans_for_expressions

    @property
    def write_concern(self) -> WriteConcern:
        return self._database.write_concern

    @asynccontextmanager
    async def operation(
        self, seconds: float | None = None, late: str = TOO_LATE
    ) -> AsyncIterator[None]:
        """A context for one use of the database: bounds its time, and raises the driver's errors as
        ours. When it is over, it raises `DatabaseUnavailable` with the text `late`.

        The driver alone would look for a server and wait for an answer more than once.
        """
        try:
            async with asyncio.timeout(seconds or self._operation_timeout):
                with translated_errors():
                    yield
        except TimeoutError:
            raise DatabaseUnavailable(late) from None

    @asynccontextmanager
    async def query(self) -> AsyncIterator[None]:
        """A context for an operation with a client's query: errors in the query are the client's.

        Raises `QueryTimeout` and `InvalidParameter`, and what `operation` raises.
        """
        async with self.operation():
            try:
                yield
            except OperationFailure as error:
                if error.code == TIME_LIMIT:
                    raise QueryTimeout from error
                if error.code in BAD_QUERIES and not is_transient(error):
                    raise bad_query(error) from error
                raise

    async def _set_up(self) -> None:
        """Raises `ConfigurationError`, if the database cannot be used as the settings say, and the
        driver's errors."""
        try:
            await init_beanie(
                database=self._database,
                document_models=list(self.models.values()),
                skip_indexes=True,
            )
            await self._detect_capabilities()
        except PyMongoError as error:
            if fault := as_fault(error, self._database.name):
                raise fault from error
            raise

    async def _detect_capabilities(self) -> None:
        """Raises `ConfigurationError`."""
        self._capabilities = await detect_capabilities(self.client, self._database, self._served)
        self.limits.are_ignored = self._capabilities.ignores_limits
        # Under `pymongo.timeout` the driver looks for a server for all the time that is left, which
        # would be too late to report that there is none.
        topology = self.client.delegate._topology
        timeout_left = topology.get_server_selection_timeout
        topology.get_server_selection_timeout = lambda: min(self._selection_timeout, timeout_left())


@asynccontextmanager
async def open_database(
    settings: Settings, uri: str, collections: Iterable[str]
) -> AsyncIterator[Database]:
    """The database for a lifespan, with collections of these names in it. If it is unavailable,
    that delays the start but does not prevent it."""
    database = Database(settings, uri, collections)
    tasks = [
        asyncio.create_task(database.readiness.reach()),
        asyncio.create_task(report(database.client.delegate, database.readiness)),
    ]
    try:
        await database.readiness.wait(settings.server_selection_timeout)
        yield database
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        database.client.close()


async def check_database(settings: Settings, uri: str, collections: Iterable[str]) -> None:
    """Raise `ConfigurationError` unless the database lets the service in and can serve the
    collections. A database that is away is not a fault: the service waits for it."""
    seconds = min(CHECK_TIMEOUT, settings.server_selection_timeout)
    brief = settings.model_copy(update={"server_selection_timeout": seconds})
    database = Database(brief, uri, collections)
    try:
        async with asyncio.timeout(2 * seconds):
            await database.readiness.attempt()
    except (TimeoutError, PyMongoError):
        pass
    finally:
        database.client.close()
