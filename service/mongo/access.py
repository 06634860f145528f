"""What the store uses of the database for one collection."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeAlias, TypeVar

from bson.raw_bson import RawBSONDocument
from motor.frameworks.asyncio import run_on_executor
from motor.motor_asyncio import AsyncIOMotorCollection
from pymongo import ReadPreference
from pymongo.change_stream import ChangeStream as DriverChangeStream
from pymongo.client_session import ClientSession
from pymongo.collection import Collection as SyncCollection

from service.mongo.database import Database, Model
from service.mongo.journal import flush

ChangeStream: TypeAlias = DriverChangeStream[RawBSONDocument]
MotorCollection: TypeAlias = AsyncIOMotorCollection[RawBSONDocument]
ThreadCollection: TypeAlias = SyncCollection[RawBSONDocument]
"""The driver's collection under that of Motor, for the threads in which Motor calls it."""
Result = TypeVar("Result")


class CollectionAccess:
    """The model of one collection, and what all collections share: limits, shares, operations."""

    def __init__(self, database: Database, name: str) -> None:
        """`name` is that of a collection with which the database was opened."""
        self._database = database
        self._readiness = database.readiness
        self._model = database.models[name]
        self.name = name
        self.limits = database.limits
        self.points = database.points
        self.queries = database.queries
        self.loads = database.loads

    @property
    def model(self) -> Model:
        """The Beanie model. Raises `DatabaseUnavailable` until the database has answered once."""
        self._readiness.check()
        return self._model

    @property
    def collection(self) -> MotorCollection:
        """The Motor collection of the model. Raises what `model` raises."""
        collection: MotorCollection = self.model.get_motor_collection()
        return collection

    def operation(self) -> AbstractAsyncContextManager[None]:
        """As `Database.operation`, in the usual time."""
        return self._database.operation()

    def query(self) -> AbstractAsyncContextManager[None]:
        """As `Database.query`."""
        return self._database.query()

    @property
    def has_transactions(self) -> bool:
        return self._database.has_transactions

    @property
    def scans_for_expressions(self) -> bool:
        return self._database.scans_for_expressions

    def transaction(
        self, work: Callable[[ThreadCollection, ClientSession], Result]
    ) -> Awaitable[Result]:
        """Do the work in a transaction, which is retried when it conflicts with another one.

        The work runs in a thread of the driver, and passes the session to each call. Call this
        under `limits.writes`.
        """
        client = self._database.client
        collection: ThreadCollection = self.collection.delegate
        started = time.monotonic()

        def limited_work(session: ClientSession) -> Result:
            with self.limits.work_of_transaction(started):
                return work(collection, session)

        def run() -> Result:
            with client.delegate.start_session() as session:
                result: Result = session.with_transaction(
                    limited_work,
                    read_preference=ReadPreference.PRIMARY,
                    write_concern=self._database.write_concern,
                )
            if self._database.journals_late:
                flush(client.delegate)
            return result

        return self._in_thread(run)

    def in_thread(self, work: Callable[[ThreadCollection], Result]) -> Awaitable[Result]:
        """Do the work in a thread of the driver: several calls that follow one another.

        Call this under `limits.writes`.
        """
        collection: ThreadCollection = self.collection.delegate
        return self._in_thread(lambda: work(collection))

    def _in_thread(self, run: Callable[[], Result]) -> Awaitable[Result]:
        loop = self._database.client.get_io_loop()
        done: Awaitable[Result] = run_on_executor(loop, run)  # type: ignore[no-untyped-call]
        return done

    def change_stream(
        self,
        pipeline: Sequence[Mapping[str, Any]],
        resume_after: Mapping[str, Any] | None,
        max_await_time_ms: int,
        batch_size: int,
    ) -> ChangeStream:
        """A change stream of the collection, from now on or after a token.

        Blocks, so it needs a thread of its own: waiting for changes, it would hold one of the
        driver's. Raises the driver's errors, and `DatabaseUnavailable`.
        """
        collection: ThreadCollection = self.collection.delegate
        return collection.watch(
            pipeline,
            full_document="updateLookup",
            resume_after=resume_after,
            max_await_time_ms=max_await_time_ms,
            batch_size=batch_size,
        )
