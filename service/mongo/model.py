"""The Beanie document that owns the collection."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from beanie import Document, Insert, Replace, Save, SaveChanges, Update, before_event
from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClientSession
from pydantic import model_validator
from pymongo.errors import PyMongoError

from service.documents.ids import Id
from service.mongo.shares import Share

CLOSE_TIMEOUT = 0.2  # seconds to wait for the database to close a cursor


class StuffDocument(Document):
    """A document of any shape: its `_id`, and the whole document as BSON.

    Fields are the user's, so none may have a meaning here: a plain `Document(extra="allow")` would
    take a stored `revision_id` for its own, and `settings` or `save` for attributes. So the model
    keeps the bytes, which `service.documents.codec` turns into JSON. Writes go through
    `service.store.points`.
    """

    # Of the type of the collection; other programs may use any BSON type.
    id: object = None  # type: ignore[assignment]
    bson: bytes

    class Settings:
        name = "stuff"
        projection = None  # whole documents, whatever their keys

    @model_validator(mode="before")
    @classmethod
    def _keep_bytes(cls, stored: Any) -> Any:
        if isinstance(stored, RawBSONDocument):
            return {"_id": stored["_id"], "bson": bytes(stored.raw)}
        return stored

    @classmethod
    async def find_raw(
        cls, ids: Sequence[Id], session: AsyncIOMotorClientSession | None = None
    ) -> AsyncIterator[bytes]:
        """The documents with these ids, as BSON, in any order, as they arrive."""
        collection = cls.get_motor_collection()
        if len(ids) == 1:  # some engines find it faster by equality
            document = await collection.find_one({"_id": ids[0]}, session=session)
            if document is not None:
                yield bytes(document.raw)
            return
        # With a limit, the database closes the cursor as soon as it has found all of them.
        condition = {"_id": {"$in": ids}}
        cursor = collection.find_raw_batches(
            condition, limit=len(ids), batch_size=len(ids), session=session
        )
        try:
            async for batch in cursor:
                for found in _split(batch):
                    yield found
        finally:
            if cursor.delegate.alive:  # it was not read to its end
                await cursor.close()

    @classmethod
    async def find_batches(
        cls,
        condition: Mapping[str, Any],
        *,
        share: Share,
        sort: Sequence[tuple[str, int]],
        projection: Mapping[str, int] | None = None,
        limit: int = 0,
        batch_size: int = 0,
        max_time_ms: int | None = None,
    ) -> AsyncGenerator[list[bytes], None]:
        """The documents that meet the condition, as BSON, in this order, as they arrive.

        Closing the iterator closes the cursor of the database. A limit of 0 means no limit.
        """
        cursor = cls.get_motor_collection().find_raw_batches(
            condition,
            projection,
            sort=sort,
            limit=limit,
            batch_size=batch_size,
            max_time_ms=max_time_ms,
        )
        call: asyncio.Future[bytes | None] | None = None
        try:
            while True:
                call = await share.start(partial(anext, cursor, None))
                batch = await asyncio.shield(call)
                if batch is None:
                    return
                yield list(_split(batch))
        finally:
            # The task continues in the background if the database is slow, or if this is cancelled.
            closing = asyncio.ensure_future(_close(cursor, call, share))
            await asyncio.wait([closing], timeout=CLOSE_TIMEOUT)

    @before_event(Insert, Replace, Save, SaveChanges, Update)
    def _refuse(self) -> None:
        """Beanie would store the model's own attributes in place of the document."""
        raise TypeError("Write documents through service.store.points.PointOperations.")


async def _close(cursor: Any, call: asyncio.Future[Any] | None, share: Share) -> None:
    if call is not None:
        await asyncio.wait([call])  # the first call creates the cursor
    if cursor.delegate.alive:
        with suppress(PyMongoError):
            await share.run(cursor.close)


def _split(batch: bytes) -> Iterator[bytes]:
    """The documents that follow one another in a batch."""
    position = 0
    while position < len(batch):
        end = position + int.from_bytes(batch[position : position + 4], "little")
        yield batch[position:end]
        position = end


def bind(collection: str) -> type[StuffDocument]:
    """A model of its own for one application.

    Beanie keeps the Motor collection on the class, so that two applications in one process
    would otherwise share whichever database was initialised last.
    """

    class BoundDocument(StuffDocument):
        class Settings(StuffDocument.Settings):
            name = collection

    return BoundDocument
