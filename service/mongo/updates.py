"""Updates of one document by operators, which the database applies itself (`findAndModify`).

Each is one atomic operation that returns the new document. With a condition, the document is
compared as `service.mongo.exchange` does it.
https://www.mongodb.com/docs/manual/reference/command/findAndModify/

All functions raise the driver's errors; `operator_faults` translates those that are about the
operators.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from bson.raw_bson import RawBSONDocument
from pymongo import ReturnDocument
from pymongo.client_session import ClientSession
from pymongo.errors import DuplicateKeyError

from service.documents import layout
from service.documents.ids import Id
from service.mongo.access import CollectionAccess, ThreadCollection
from service.mongo.exchange import MAX_INLINE_BYTES, Writer, unchanged
from service.mongo.faults import is_about_id

NO_CONDITION: Mapping[str, Any] = {}


class Updated(NamedTuple):
    """A document (BSON) after operators were applied to it, and whether they created it."""

    bson: bytes
    created: bool


def update(
    collection: ThreadCollection,
    id: Id,
    operators: bytes,
    condition: Mapping[str, Any] = NO_CONDITION,
) -> Updated | None:
    """Apply the operators (BSON) to the document. Returns None if there is none, or if it does not
    meet the condition."""
    new: RawBSONDocument | None = collection.find_one_and_update(
        {"_id": id, **condition}, layout.raw(operators), return_document=ReturnDocument.AFTER
    )
    return None if new is None else Updated(bytes(new.raw), created=False)


def upsert(collection: ThreadCollection, id: Id, operators: bytes) -> Updated | None:
    """Create the document with what the operators make of none. Returns None if there is one by
    now.

    The driver's method does not tell whether an upsert created the document. So the query finds
    none: the upsert takes the `_id` from its equality, and fails if there is a document.
    """
    try:
        new: RawBSONDocument | None = collection.find_one_and_update(
            {"_id": {"$eq": id, "$gt": id}},
            layout.raw(operators),
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
    except DuplicateKeyError as error:
        if not is_about_id(error):
            raise
        return None
    return None if new is None else Updated(bytes(new.raw), created=True)


async def update_unchanged(
    database: CollectionAccess, writer: Writer, id: Id, current: bytes, operators: bytes
) -> Updated | None:
    """Apply the operators to `current` (BSON). Returns None if the document is no longer that."""
    if len(current) + len(operators) <= MAX_INLINE_BYTES:
        condition = unchanged(id, {"$literal": layout.raw(current)})
        return await _update(database, writer, condition, operators)
    if database.has_transactions:
        return await update_checked(
            database, writer, id, operators, before=lambda found: found == current
        )
    variables = {"current": {"$literal": layout.raw(current)}}
    condition = unchanged(id, "$$current")
    return await _update(database, writer, condition, operators, let=variables)


async def update_checked(
    database: CollectionAccess,
    writer: Writer,
    id: Id,
    operators: bytes,
    *,
    upsert: bool = False,
    before: Callable[[bytes | None], bool] | None = None,
    after: Callable[[bytes], None] | None = None,
) -> Updated | None:
    """Apply the operators in a transaction, if `before` returns True for the document as it is
    (BSON), and unless `after` raises an error about the new one. Returns None if `before` does not,
    or if there is no document. Both are called in a thread of the driver, and more than once if
    the transaction conflicts with another one."""

    def work(collection: ThreadCollection, session: ClientSession) -> Updated | None:
        def change(**options: Any) -> RawBSONDocument | None:
            changed: RawBSONDocument | None = collection.find_one_and_update(
                {"_id": id},
                layout.raw(operators),
                return_document=ReturnDocument.AFTER,
                session=session,
                **options,
            )
            return changed

        if before is not None:
            found = collection.find_one({"_id": id}, session=session)
            if not before(None if found is None else bytes(found.raw)):
                return None
        new, created = change(), False
        if new is None and upsert:
            new, created = change(upsert=True), True
        if new is None:
            return None
        bson = bytes(new.raw)
        if after is not None:
            after(bson)
        return Updated(bson, created)

    try:
        return await writer.write(lambda: database.transaction(work))
    except DuplicateKeyError as error:
        if not is_about_id(error):
            raise
        return None


async def _update(
    database: CollectionAccess,
    writer: Writer,
    condition: dict[str, Any],
    operators: bytes,
    **options: Any,
) -> Updated | None:
    collection = database.collection
    new = await writer.write(
        lambda: collection.find_one_and_update(
            condition, layout.raw(operators), return_document=ReturnDocument.AFTER, **options
        )
    )
    return None if new is None else Updated(bytes(new.raw), created=False)
