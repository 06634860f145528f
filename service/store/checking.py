"""Checks documents before they are written, and gives their values the types of the schema."""

import asyncio

from service.documents.schemas import Schema
from service.documents.work import finished
from service.errors import DocumentTooLarge, SchemaViolation, raises
from service.store.slices import SMALL, Slices

WAIT = 10.0  # seconds for which a thread waits for the event loop


class Checks:
    """Checks the documents of one collection against its schema."""

    def __init__(self, schema: Schema, slices: Slices) -> None:
        self.types = schema.types
        self._schema = schema
        self._slices = slices

    @raises(SchemaViolation, DocumentTooLarge)
    async def check(self, fields: bytes) -> bytes:
        """The fields (a BSON document) as they are stored; in slices, if there are many. Raises
        `SchemaViolation` unless they fit."""
        if len(fields) <= SMALL:
            return finished(self._schema.check(fields))
        return await self._slices.run(self._schema.check(fields), len(fields))

    def check_from_thread(self, fields: bytes, loop: asyncio.AbstractEventLoop) -> None:
        """As `check`, in a thread beside the event loop, which checks large documents, one after
        the other. Raises `TimeoutError`, too."""
        if len(fields) <= SMALL:
            finished(self._schema.check(fields))
            return
        checked = asyncio.run_coroutine_threadsafe(self.check(fields), loop)
        try:
            checked.result(WAIT)
        finally:
            checked.cancel()
