"""Records of requests that were carried out, by which a repetition of one is known.

They are in a collection of their own, from which the database deletes what has expired. A record is
written in the transaction that does the work of its request: it exists if the work was done.
https://www.mongodb.com/docs/manual/core/index-ttl/
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import bson
from bson import CodecOptions
from pymongo.errors import PyMongoError

from service.mongo import statements
from service.mongo.access import CollectionAccess
from service.mongo.statements import Statement
from service.mongo.transactions import StatementRefused, Transaction, is_conflict

LIFETIME = timedelta(hours=24)
EXPIRES_AT = "expires_at"
_OPTIONS = CodecOptions[dict[str, Any]](tz_aware=True, tzinfo=UTC)


class Answer(NamedTuple):
    """What a request was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    shows: Sequence[str]
    """The collections whose documents it may show: those that its client could read."""


class Record(NamedTuple):
    """What is kept of a request."""

    fingerprint: str
    answer: Answer


class RecordTaken(Exception):
    """There is a record under this id, or another transaction is about to write one."""


async def begin(
    transaction: Transaction, database: CollectionAccess, id: str, fingerprint: str
) -> None:
    """Write the record, still without the answer, unless there is one that has not expired.

    The first statement of its transaction, so that two requests with one record never both work.
    Raises `RecordTaken`, the driver's errors, and ours if the database refuses the statement.
    """
    now = datetime.now(UTC)
    record = {"_id": id, "fingerprint": fingerprint, EXPIRES_AT: now + LIFETIME}
    is_over = {EXPIRES_AT: {"$lte": now}}
    try:
        await _write(transaction, database, statements.replace_if(id, is_over, bson.encode(record)))
    except PyMongoError as error:
        if is_conflict(error):
            raise RecordTaken from error
        raise


async def complete(
    transaction: Transaction, database: CollectionAccess, id: str, answer: Answer
) -> None:
    """Add the answer to the record. Raises what `begin` raises, but `RecordTaken`."""
    operators = bson.encode({"$set": {"answer": answer._asdict()}})
    await _write(transaction, database, statements.update(id, operators))


async def find(database: CollectionAccess, id: str) -> Record | None:
    """The record, unless it has expired. Raises the driver's errors."""
    with database.limits.reads():
        found = await database.points.run(lambda: database.collection.find_one({"_id": id}))
    if found is None:
        return None
    record = bson.decode(found.raw, _OPTIONS)
    if record[EXPIRES_AT] <= datetime.now(UTC):
        return None
    return Record(record["fingerprint"], Answer(**record["answer"]))


async def _write(
    transaction: Transaction, database: CollectionAccess, statement: Statement
) -> None:
    try:
        await transaction.write(database, [statement])
    except StatementRefused as refused:
        raise refused.error from None
