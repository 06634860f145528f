"""Creates or replaces documents, one or many in a call of the database."""

from collections.abc import Mapping
from typing import Any, TypeAlias, TypeVar

from bson.raw_bson import RawBSONDocument
from pymongo import ReplaceOne
from pymongo.errors import (
    BulkWriteError,
    OperationFailure,
    PyMongoError,
    WriteConcernError,
    WriteError,
)

from service.documents import layout
from service.documents.ids import Key
from service.errors import StuffError, Unavailable, WriteConflict
from service.mongo.access import MotorCollection
from service.mongo.faults import bulk_faults, is_about_bson, is_about_id, translated

MAX_ATTEMPTS = 10

Outcome: TypeAlias = bool | StuffError
"""Whether the document was created (else it replaced another), or the error that kept it from being
stored. The cause of an `Unavailable` is the driver's error."""

AnyKey = TypeVar("AnyKey", bound=Key)
_Answer: TypeAlias = bool | PyMongoError


async def upsert(
    collection: MotorCollection, documents: Mapping[AnyKey, bytes], *, insert_first: bool = False
) -> dict[AnyKey, Outcome]:
    """Store each document (BSON), by the key of its id.

    Raises the driver's error about the whole command.
    `insert_first` costs less if most of them are new, and more if most of them are not.
    """
    outcomes: dict[AnyKey, Outcome] = {}
    pending = documents
    for attempt in range(MAX_ATTEMPTS):
        answers = await _send(collection, pending, insert=insert_first and attempt == 0)
        again = {}
        for (id, document), answer in zip(pending.items(), answers, strict=True):
            if isinstance(answer, bool):
                outcomes[id] = answer
            elif is_about_id(answer):
                # Another writer has just created it: ours replaces it.
                # https://www.mongodb.com/docs/manual/reference/method/db.collection.replaceOne/
                again[id] = document
            else:
                outcomes[id] = fault = translated(answer)
                if isinstance(fault, Unavailable):
                    fault.__cause__ = answer
        if not again:
            return outcomes
        pending = again
    outcomes.update((id, WriteConflict()) for id in pending)
    return outcomes


async def _send(
    collection: MotorCollection, documents: Mapping[Any, bytes], *, insert: bool
) -> list[_Answer]:
    try:
        if insert:
            return await _insert(collection, documents)
        if len(documents) == 1:
            return await _replace_one(collection, documents)
        return await _replace_many(collection, documents)
    except OperationFailure as error:
        if not is_about_bson(error):
            raise
        if len(documents) == 1:
            return [error]
    # One of them is the reason: the halves are sent apart.
    items = list(documents.items())
    middle = len(items) // 2
    return [
        answer
        for half in (items[:middle], items[middle:])
        for answer in await _send(collection, dict(half), insert=insert)
    ]


async def _insert(collection: MotorCollection, documents: Mapping[Any, bytes]) -> list[_Answer]:
    faults: Mapping[int, PyMongoError] = {}
    try:
        await collection.insert_many(map(layout.raw, documents.values()), ordered=False)
    except BulkWriteError as error:
        faults = bulk_faults(error, len(documents))
    return [faults.get(index, True) for index in range(len(documents))]


async def _replace_one(
    collection: MotorCollection, documents: Mapping[Any, bytes]
) -> list[_Answer]:
    # Costs less than a bulk of one.
    [(id, document)] = documents.items()
    query = _query(id, document)
    try:
        result = await collection.replace_one(query, layout.raw(document), upsert=True)
    except (WriteError, WriteConcernError) as fault:
        return [fault]
    return [result.upserted_id is not None]


async def _replace_many(
    collection: MotorCollection, documents: Mapping[Any, bytes]
) -> list[_Answer]:
    requests: list[ReplaceOne[RawBSONDocument]] = [
        ReplaceOne(_query(id, document), layout.raw(document), upsert=True)
        for id, document in documents.items()
    ]
    faults: Mapping[int, PyMongoError] = {}
    try:
        result = await collection.bulk_write(requests, ordered=False)
        upserted = result.bulk_api_result["upserted"]
    except BulkWriteError as error:
        faults = bulk_faults(error, len(documents))
        upserted = error.details["upserted"]
    created = {entry["index"] for entry in upserted}
    return [faults.get(index, index in created) for index in range(len(documents))]


def _query(id: Key, document: bytes) -> Mapping[str, Any]:
    return {"_id": id} if isinstance(id, str) else layout.raw(layout.id_query(document))
