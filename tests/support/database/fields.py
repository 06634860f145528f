"""Fields of commands, and of the documents inside of them: their names and their types."""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from bson import Binary, Timestamp
from bson.int64 import Int64

from tests.support.database.refusals import (
    MISSING_FIELD,
    TYPE_MISMATCH,
    UNKNOWN_FIELD,
    Refusal,
)


def _is_integer(value: Any) -> bool:
    """As the server's `safeInt`: a double that is whole is one too."""
    return not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    )


TYPES: Mapping[str, Callable[[Any], bool]] = {
    "any": lambda _: True,
    "string": lambda value: isinstance(value, str),
    "document": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "documents": lambda value: (
        isinstance(value, list) and all(isinstance(each, dict) for each in value)
    ),
    "bool": lambda value: isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": _is_integer,
    "count": lambda value: _is_integer(value) and value >= 0,
    "long": lambda value: isinstance(value, Int64),
    "longs": lambda value: (
        isinstance(value, list) and all(isinstance(each, Int64) for each in value)
    ),
    "timestamp": lambda value: isinstance(value, Timestamp),
    "uuid": lambda value: isinstance(value, Binary) and value.subtype == 4,
}

Fields: TypeAlias = dict[str, str]
"""The types that each field may have, between `|`."""

ANY_OTHER = "*"
"""Among fields: there may be others."""


def check_fields(place: str, document: Mapping[str, Any], fields: Fields, *required: str) -> None:
    """Raises `Refusal` if a field of the document is unknown, of another type, or missing."""
    for name, value in document.items():
        if name not in fields and ANY_OTHER in fields:
            continue
        if name not in fields:
            raise Refusal(UNKNOWN_FIELD, f"BSON field '{place}.{name}' is an unknown field.")
        if not any(TYPES[type](value) for type in fields[name].split("|")):
            raise Refusal(
                TYPE_MISMATCH,
                f"BSON field '{place}.{name}' is the wrong type '{type(value).__name__}',"
                f" expected '{fields[name]}'",
            )
    for name in required:
        if name not in document:
            raise Refusal(
                MISSING_FIELD, f"BSON field '{place}.{name}' is missing but a required field"
            )


UPDATE: Fields = {  # https://www.mongodb.com/docs/manual/reference/command/update/#update-statements
    "q": "document",
    "u": "document|documents",
    "c": "document",
    "upsert": "bool",
    "multi": "bool",
    "collation": "document",
    "arrayFilters": "documents",
    "hint": "string|document",
}
DELETE: Fields = {  # https://www.mongodb.com/docs/manual/reference/command/delete/#delete-statements
    "q": "document",
    "limit": "integer",
    "collation": "document",
    "hint": "string|document",
}
INDEX: Fields = {  # https://www.mongodb.com/docs/manual/reference/command/createIndexes/#command-fields
    "key": "document",
    "name": "string",
    "v": "integer",
    "unique": "bool|number",
    "sparse": "bool|number",
    "hidden": "bool|number",
    "background": "bool|number",
    "partialFilterExpression": "document",
    "expireAfterSeconds": "integer",
    "collation": "document",
    "wildcardProjection": "document",
}
CURSOR: Fields = {"batchSize": "count"}
CHANGE_STREAM: Fields = {  # https://www.mongodb.com/docs/manual/reference/operator/aggregation/changeStream/
    "fullDocument": "string",
    "fullDocumentBeforeChange": "string",
    "resumeAfter": "document",
    "startAfter": "document",
    "startAtOperationTime": "timestamp",
    "allChangesForCluster": "bool",
    "showExpandedEvents": "bool",
}
READ_CONCERN: Fields = {
    "level": "string",
    "afterClusterTime": "timestamp",
    "atClusterTime": "timestamp",
}
WRITE_CONCERN: Fields = {
    "w": "string|integer",
    "j": "bool|number",
    "fsync": "bool|number",
    "wtimeout": "number",
}
READ_PREFERENCE: Fields = {
    "mode": "string",
    "tags": "documents",
    "maxStalenessSeconds": "integer",
    "hedge": "document",
}
SESSION: Fields = {"id": "uuid"}
CLUSTER_TIME: Fields = {"clusterTime": "timestamp", "signature": "document"}
