"""What can be done with documents. Knows no HTTP."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bson.raw_bson import RawBSONDocument
from pymongo.errors import DuplicateKeyError
from uuid_utils import uuid7

from service import codec
from service.codec import Metadata, Stored
from service.database import Database
from service.errors import DocumentNotFound


@dataclass(frozen=True, slots=True)
class Written:
    """An acknowledged write: a majority of the replica set has it in its journal."""

    id: str
    created: bool
    metadata: Metadata


class Store:
    """The documents of one collection.

    Every method raises `DatabaseUnavailable` when the database does not acknowledge in time.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents

    async def get(self, id: str) -> Stored:
        """The document. Raises `DocumentNotFound`."""
        async with self._database.operation():
            document = await self._documents.find_one({"_id": id})
        if document is None:
            raise DocumentNotFound(id)
        return codec.read(document.bson)

    async def put(self, id: str, fields: bytes) -> Written:
        """Create or replace the document.

        Raises `DocumentTooLarge`, `DocumentRejected` and `DuplicateKey`.
        """
        metadata = _metadata(fields)
        document = RawBSONDocument(codec.assemble(id, fields, metadata))
        collection = self._documents.get_motor_collection()
        async with self._database.operation():
            try:
                result = await collection.replace_one({"_id": id}, document, upsert=True)
            except DuplicateKeyError as error:
                if not _is_upsert_race(error):
                    raise
                result = await collection.replace_one({"_id": id}, document, upsert=True)
        return Written(id, result.upserted_id is not None, metadata)

    async def create(self, fields: bytes) -> Written:
        """Create the document under an id of its own, a UUIDv7: ids sort by time.

        Raises `DocumentTooLarge`, `DocumentRejected` and `DuplicateKey`.
        """
        id = str(uuid7())
        metadata = _metadata(fields)
        document = RawBSONDocument(codec.assemble(id, fields, metadata))
        async with self._database.operation():
            await self._documents.get_motor_collection().insert_one(document)
        return Written(id, True, metadata)

    async def delete(self, id: str) -> None:
        """Delete the document. Raises `DocumentNotFound`."""
        async with self._database.operation():
            result = await self._documents.find_one({"_id": id}).delete_one()
        if result is None or not result.deleted_count:
            raise DocumentNotFound(id)


def _metadata(fields: bytes) -> Metadata:
    return Metadata(codec.entity_tag(fields), datetime.now(UTC))


def _is_upsert_race(error: DuplicateKeyError) -> bool:
    """Whether two upserts of one id met: then the other one has created it, and ours replaces it.

    https://www.mongodb.com/docs/manual/reference/method/db.collection.replaceOne/#upsert-with-unique-index
    """
    return list((error.details or {}).get("keyPattern", {"_id": 1})) == ["_id"]
