"""The Motor client and Beanie: set up in the lifespan, handed out by async dependencies.

The only module that names Motor.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeAlias

from beanie import init_beanie
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorCollection
from pymongo import ReadPreference, WriteConcern
from pymongo.change_stream import ChangeStream
from pymongo.collection import Collection as SyncCollection
from pymongo.errors import ExecutionTimeout, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern

from service.errors import DatabaseUnavailable, QueryTimeout
from service.mongo.faults import BAD_QUERIES, bad_query, translated_errors
from service.mongo.model import StuffDocument, bind
from service.observability.tracing import listeners
from service.settings import Settings

log = logging.getLogger(__name__)

Client: TypeAlias = AsyncIOMotorClient[RawBSONDocument]
Collection: TypeAlias = AsyncIOMotorCollection[RawBSONDocument]
Model: TypeAlias = type[StuffDocument]

RETRY_INTERVAL = 1.0  # seconds between attempts to set up, while the database is away
PING_TIMEOUT = 2.0  # seconds


class Database:
    """One client, and the Beanie model bound to it.

    It may be made while the database is away: until Beanie is set up, every use is answered by
    `DatabaseUnavailable`, and setting up is tried again in the background.
    """

    def __init__(self, settings: Settings, uri: str) -> None:
        self.client: Client = AsyncIOMotorClient(
            uri,
            appname="stuff",
            event_listeners=listeners(settings),
            document_class=RawBSONDocument,
            # A new primary is found in a second, also where the database does not tell of it by
            # itself, and a dead connection does not keep the monitor from trying another.
            serverMonitoringMode="poll",
            heartbeatFrequencyMS=1000,
            connectTimeoutMS=5000,
            serverSelectionTimeoutMS=int(settings.server_selection_timeout * 1000),
            # Bounds the threads that the driver works in; requests are bounded by operation().
            socketTimeoutMS=int(settings.operation_timeout * 1000),
            waitQueueTimeoutMS=int(settings.operation_timeout * 1000),
        )
        self._database = self.client.get_database(
            settings.database,
            read_preference=ReadPreference.PRIMARY,
            read_concern=ReadConcern("majority"),
            # Whatever the URI says: acknowledged means a majority has it in its journal.
            write_concern=WriteConcern(w="majority", j=True),
        )
        self._model = bind(settings.collection)
        self._operation_timeout = settings.operation_timeout
        self._ready = asyncio.Event()

    @property
    def model(self) -> Model:
        """The Beanie model. Raises `DatabaseUnavailable` until the database has answered once."""
        self._check_ready()
        return self._model

    @property
    def collection(self) -> Collection:
        """The Motor collection of the model. Raises what `model` raises."""
        collection: Collection = self.model.get_motor_collection()
        return collection

    async def ping(self) -> None:
        """Return if the primary answers. Raises `DatabaseUnavailable`."""
        self._check_ready()
        async with self.operation(min(PING_TIMEOUT, self._operation_timeout)):
            await self.client.admin.command("ping")

    @asynccontextmanager
    async def operation(self, seconds: float | None = None) -> AsyncIterator[None]:
        """Around one use of the database: bounds its time, and raises the driver's errors as ours.

        The driver alone would look for a server and wait for an answer more than once.
        """
        try:
            async with asyncio.timeout(seconds or self._operation_timeout):
                with translated_errors():
                    yield
        except TimeoutError:
            raise DatabaseUnavailable("The database took too long. Try again.") from None

    @asynccontextmanager
    async def query(self) -> AsyncIterator[None]:
        """Around an operation that does what a client has made up: its faults are the client's.

        Raises `QueryTimeout` and `InvalidParameter`, and what `operation` raises.
        """
        async with self.operation():
            try:
                yield
            except ExecutionTimeout as error:
                raise QueryTimeout from error
            except OperationFailure as error:
                if error.code not in BAD_QUERIES:
                    raise
                raise bad_query(error) from error

    def change_stream(
        self,
        pipeline: Sequence[Mapping[str, Any]],
        resume_after: Mapping[str, Any] | None,
        max_await_time_ms: int,
        batch_size: int,
    ) -> ChangeStream[RawBSONDocument]:
        """What happens to the documents, from now on or after a token.

        For a thread: waiting for changes, it would hold one of the driver's own. Raises the
        driver's errors, and `DatabaseUnavailable`.
        """
        collection: SyncCollection[RawBSONDocument] = self.collection.delegate
        return collection.watch(
            pipeline,
            full_document="updateLookup",
            resume_after=resume_after,
            max_await_time_ms=max_await_time_ms,
            batch_size=batch_size,
        )

    def _check_ready(self) -> None:
        if not self._ready.is_set():
            raise DatabaseUnavailable("The database has not answered yet. Try again shortly.")

    async def wait_until_ready(self, seconds: float) -> None:
        """Wait for the database at most this long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ready.wait()

    async def set_up(self) -> None:
        """Set up Beanie, trying until the database is there."""
        while not self._ready.is_set():
            try:
                await init_beanie(
                    database=self._database, document_models=[self._model], skip_indexes=True
                )
            except PyMongoError as error:
                log.warning("The database is not available, trying again: %s", error)
                await asyncio.sleep(RETRY_INTERVAL)
            else:
                self._ready.set()


@asynccontextmanager
async def open_database(settings: Settings, uri: str) -> AsyncIterator[Database]:
    """The database for a lifespan. An absent one delays the start, and does not prevent it."""
    database = Database(settings, uri)
    setting_up = asyncio.create_task(database.set_up())
    try:
        await database.wait_until_ready(settings.server_selection_timeout)
        yield database
    finally:
        setting_up.cancel()
        with suppress(asyncio.CancelledError):
            await setting_up
        database.client.close()
