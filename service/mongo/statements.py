"""What a transaction can write: statements about one document each."""

from datetime import datetime
from typing import TypeAlias

from bson.raw_bson import RawBSONDocument
from pymongo import DeleteOne, ReplaceOne, UpdateOne

from service.documents import layout
from service.documents.ids import Id
from service.documents.layout import METADATA_KEY

Statement: TypeAlias = ReplaceOne[RawBSONDocument] | UpdateOne | DeleteOne


def replace(id: Id, new: bytes) -> Statement:
    """Replace the document, or create it if there is none."""
    return ReplaceOne({"_id": id}, layout.raw(new), upsert=True)


def touch(id: Id, etag: str, updated_at: datetime) -> Statement:
    """Set the metadata of the document, and leave its fields as they are."""
    return UpdateOne(
        {"_id": id}, {"$set": {METADATA_KEY: {"etag": etag, "updated_at": updated_at}}}
    )


def update(id: Id, operators: bytes) -> Statement:
    """Apply the update operators (BSON) to the document."""
    return UpdateOne({"_id": id}, layout.raw(operators))


def is_update(statement: Statement) -> bool:
    """Whether operators change a document."""
    return isinstance(statement, UpdateOne)


def delete(id: Id) -> Statement:
    """Delete the document."""
    return DeleteOne({"_id": id})
