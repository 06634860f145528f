"""Writes of one document with a condition: that there is none, or that the whole of it is still as
it was read.

Another program may change the fields and leave `_stuff` as it was, so the content is compared. One
atomic operation of the database compares and writes:

- an `update` or a `delete` whose filter has the document inline, where both documents together are
  small enough: filter and replacement share the 16 MiB of a command. Works everywhere. Where such a
  filter is slow, an `update` by the `_id` whose pipeline compares, and leaves another document as
  it is; and if that does not tell whether it was equal, a transaction;
- a transaction that reads, compares and writes, where there are transactions;
- else a variable of the command (`let`), which may have 16 MiB of its own.

The first and the last compare by value, as MongoDB does: a number of another type is equal to what
was read (1, 1.0, `NumberLong(1)`, `NumberDecimal("1.0")`), and so is a 0.0 to a -0.0. The order of
keys counts. Strings are compared byte by byte, since a collection with a default collation is not
served (`capabilities`).
https://www.mongodb.com/docs/manual/reference/operator/aggregation/eq/
https://www.mongodb.com/docs/manual/tutorial/update-documents-with-aggregation-pipeline/
https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
"""

from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo import DeleteOne, ReplaceOne
from pymongo.client_session import ClientSession
from pymongo.collection import Collection as SyncCollection
from pymongo.errors import DuplicateKeyError

from service.documents import layout
from service.documents.ids import Id
from service.mongo.access import CollectionAccess
from service.mongo.faults import is_about_id

MAX_INLINE_BYTES = 15 * 1024 * 1024

Result = TypeVar("Result")


class Writer(Protocol):
    """What makes the calls of the driver; `store.turns.Turn` is one."""

    async def write(self, call: Callable[[], Awaitable[Result]]) -> Result: ...


async def insert(database: CollectionAccess, writer: Writer, new: bytes) -> bool:
    """Create the document (BSON). Returns False if there is one with its id.

    Raises the driver's errors.
    """
    collection = database.collection
    try:
        await writer.write(lambda: collection.insert_one(layout.raw(new)))
    except DuplicateKeyError as error:
        if not is_about_id(error):
            raise
        return False
    return True


async def exchange(
    database: CollectionAccess, writer: Writer, id: Id, current: bytes, new: bytes | None
) -> bool:
    """Replace `current` by `new` (BSON), or delete it if `new` is None. Returns False if the
    document is no longer `current`.

    Raises the driver's errors.
    """
    if len(current) + len(new or b"") <= MAX_INLINE_BYTES:
        return await _inline(database, writer, id, current, new)
    if database.has_transactions:
        return await _in_transaction(database, writer, id, current, new)
    return await _by_variable(database, writer, id, current, new)


async def _inline(
    database: CollectionAccess, writer: Writer, id: Id, current: bytes, new: bytes | None
) -> bool:
    condition = unchanged(id, {"$literal": layout.raw(current)})
    collection = database.collection
    if new is None:
        deleted = await writer.write(lambda: collection.delete_one(condition))
        return bool(deleted.deleted_count)
    if database.scans_for_expressions and database.has_transactions:
        return await _in_pipeline(database, writer, id, current, new)
    replacement = layout.raw(new)
    replaced = await writer.write(lambda: collection.replace_one(condition, replacement))
    return bool(replaced.matched_count)


async def _in_pipeline(
    database: CollectionAccess, writer: Writer, id: Id, current: bytes, new: bytes
) -> bool:
    collection = database.collection
    if new != current:
        exchanged = {
            "$cond": [
                {"$eq": ["$$ROOT", {"$literal": layout.raw(current)}]},
                {"$literal": layout.raw(new)},
                "$$ROOT",
            ]
        }
        pipeline = [{"$replaceWith": exchanged}]
        updated = await writer.write(lambda: collection.update_one({"_id": id}, pipeline))
        if updated.modified_count:
            return True
        found = await writer.write(lambda: collection.find_one({"_id": id}))
        if found is None or bytes(found.raw) != current:
            return False
    # Nothing tells whether it was equal: the embedded engine stores both documents as the same one
    # (it puts the `$ref` of a reference first), or takes one with a NaN for unequal to itself.
    return await _in_transaction(database, writer, id, current, new)


async def _in_transaction(
    database: CollectionAccess, writer: Writer, id: Id, current: bytes, new: bytes | None
) -> bool:
    def work(collection: SyncCollection[RawBSONDocument], session: ClientSession) -> bool:
        found = collection.find_one({"_id": id}, session=session)
        if found is None or bytes(found.raw) != current:
            return False
        if new is None:
            collection.delete_one({"_id": id}, session=session)
        else:
            collection.replace_one({"_id": id}, layout.raw(new), session=session)
        return True

    return await writer.write(lambda: database.transaction(work))


async def _by_variable(
    database: CollectionAccess, writer: Writer, id: Id, current: bytes, new: bytes | None
) -> bool:
    condition = unchanged(id, "$$current")
    request: DeleteOne | ReplaceOne[RawBSONDocument] = (
        DeleteOne(condition) if new is None else ReplaceOne(condition, layout.raw(new))
    )
    variables = {"current": {"$literal": layout.raw(current)}}
    result = await writer.write(lambda: database.collection.bulk_write([request], let=variables))
    return bool(result.deleted_count if new is None else result.matched_count)


def unchanged(id: Id, document: Any) -> dict[str, Any]:
    """The query for the document, if it is still this one, which is given as an expression."""
    return {"_id": id, "$expr": {"$eq": ["$$ROOT", document]}}
