"""Checks documents before they are written."""

from service.documents.schemas import Schema
from service.errors import DocumentTooLarge, SchemaViolation, raises
from service.store.slices import SMALL, Slices


class Checks:
    """Checks the documents of one collection against its schema."""

    def __init__(self, schema: Schema, slices: Slices) -> None:
        self._schema = schema
        self._slices = slices

    @raises(SchemaViolation, DocumentTooLarge)
    async def check(self, fields: bytes) -> None:
        """Raise `SchemaViolation` unless the fields (a BSON document) fit; in slices, if there are
        many."""
        work = self._schema.check(fields)
        if len(fields) <= SMALL:
            for _ in work:
                pass
        else:
            await self._slices.run(work, len(fields))
