"""Makes the documents that are to be stored, of what was sent and of what is stored."""

from service.documents import layout, patches
from service.documents.ids import Id, Ids, canonical
from service.documents.layout import Stored
from service.documents.metadata import Layout
from service.documents.patches import Patch
from service.documents.preconditions import Preconditions
from service.errors import (
    DocumentNotFound,
    DocumentTooLarge,
    InvalidDocument,
    InvalidPatch,
    PatchTestFailed,
    PreconditionFailed,
    raises,
)
from service.store.checking import Checks
from service.store.slices import Slices


class Maker:
    """Makes the documents of one collection."""

    def __init__(self, ids: Ids, layout: Layout, checks: Checks | None, slices: Slices) -> None:
        self._ids = ids
        self._layout = layout
        self._checks = checks
        self._types = None if checks is None else checks.types
        self._slices = slices

    @raises(InvalidDocument, DocumentTooLarge, Checks.check)
    async def created(self, fields: bytes) -> tuple[Id, Stored]:
        """The document with these fields (BSON), and an id of its own. Raises `InvalidDocument` if
        only clients can make ids of the type that the collection has."""
        if self._checks is not None:
            fields = await self._checks.check(fields)
        id = self._ids.new()
        return id, self._layout.new(layout.id_element(id), fields)

    @raises(
        DocumentNotFound,
        PreconditionFailed,
        PatchTestFailed,
        InvalidPatch,
        InvalidDocument,
        DocumentTooLarge,
        Checks.check,
    )
    async def patched(
        self, id: Id, current: Stored | None, patch: Patch, preconditions: Preconditions
    ) -> Stored:
        """The document after the patch. Raises `DocumentNotFound` if there is no current one."""
        if current is None:
            raise DocumentNotFound(canonical(id))
        preconditions.check(current)
        work = patches.apply(patch, current.bson, canonical(id), self._types)
        fields = await self._slices.run(work, patch.size + len(current.bson))
        if self._checks is not None:
            fields = await self._checks.check(fields)
        return self._layout.changed(current.bson, fields)
