"""What a transaction can write: statements about one document each."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeAlias

from bson.raw_bson import RawBSONDocument
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne

from service.documents import layout
from service.documents.ids import Id
from service.documents.layout import METADATA_KEY

Statement: TypeAlias = (
    InsertOne[RawBSONDocument] | ReplaceOne[RawBSONDocument] | UpdateOne | DeleteOne
)


def insert(new: bytes) -> Statement:
    """Create the document."""
    return InsertOne(layout.raw(new))


def replace(id: Id, new: bytes) -> Statement:
    """Replace the document, or create it if there is none."""
    return ReplaceOne({"_id": id}, layout.raw(new), upsert=True)


def replace_if(id: Id, condition: Mapping[str, Any], new: bytes) -> Statement:
    """Replace the document if it meets the condition, or create it if there is none. One that does
    not meet it is a conflict."""
    return ReplaceOne({"_id": id, **condition}, layout.raw(new), upsert=True)


def touch(id: Id, etag: str, updated_at: datetime) -> Statement:
    """Set the metadata of the document, and leave its fields as they are."""
    return UpdateOne(
        {"_id": id}, {"$set": {METADATA_KEY: {"etag": etag, "updated_at": updated_at}}}
    )


def update(id: Id, operators: bytes, *, upsert: bool = False) -> Statement:
    """Apply the update operators (BSON) to the document. `upsert` creates it if there is none."""
    return UpdateOne({"_id": id}, layout.raw(operators), upsert=upsert)


def is_update(statement: Statement) -> bool:
    """Whether operators change a document."""
    return isinstance(statement, UpdateOne)


def delete(id: Id) -> Statement:
    """Delete the document."""
    return DeleteOne({"_id": id})
