"""Events of change streams.

https://www.mongodb.com/docs/manual/reference/change-events/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from bson import Binary, Timestamp
from bson.int64 import Int64

from tests.support.database.tokens import event_token


@dataclass(frozen=True)
class Put:
    """A document is written."""

    id: str
    fields: Mapping[str, Any] | None = field(default_factory=dict)
    """None if it is an update, and the document was deleted before it was looked up."""
    kind: str = "insert"
    """Or `replace`, or `update`."""
    shard_key: Mapping[str, Any] = field(default_factory=dict)
    """Its values, in a collection that is sharded by another key than `_id`."""


@dataclass(frozen=True)
class Delete:
    """A document is deleted."""

    id: str
    kind: str = "delete"
    shard_key: Mapping[str, Any] = field(default_factory=dict)


Operation: TypeAlias = Put | Delete


@dataclass(frozen=True)
class Event:
    """What a stream tells of an operation, and the shard on which it took place."""

    time: Timestamp
    token: str
    document: dict[str, Any]
    shard: int = 0
    is_last: bool = False
    """Whether it ends the stream."""


def event_of(
    operation: Operation, time: Timestamp, namespace: Mapping[str, str], shard: int
) -> Event:
    """The event of an operation of its own."""
    return _event(operation, time, namespace, shard, 0, {})


def events_of(
    operations: tuple[Operation, ...], time: Timestamp, namespace: Mapping[str, str], shard: int
) -> list[Event]:
    """The events of a transaction: all of one time, told apart by their tokens."""
    transaction = {
        "txnNumber": Int64(1),
        "lsid": {"id": Binary(b"\0" * 16, 4), "uid": b"\0" * 32},
    }
    return [
        _event(operation, time, namespace, shard, index, transaction)
        for index, operation in enumerate(operations)
    ]


def end(time: Timestamp, namespace: Mapping[str, str]) -> list[Event]:
    """Of a collection that is dropped, which invalidates its streams."""
    drop, invalidate = (event_token(time, "", "drop", invalidates=last) for last in (False, True))
    return [
        Event(time, drop, _document(drop, "drop", time) | {"ns": namespace}),
        Event(time, invalidate, _document(invalidate, "invalidate", time), is_last=True),
    ]


def _event(
    operation: Operation,
    time: Timestamp,
    namespace: Mapping[str, str],
    shard: int,
    index: int,
    transaction: Mapping[str, Any],
) -> Event:
    token = event_token(time, operation.id, operation.kind, index)
    document = _document(token, operation.kind, time) | dict(transaction)
    if isinstance(operation, Put):
        fields = operation.fields
        document["fullDocument"] = None if fields is None else {"_id": operation.id, **fields}
        if operation.kind == "update":
            changed = {"updatedFields": fields or {}, "removedFields": []}
            document["updateDescription"] = changed | {"truncatedArrays": []}
    document["ns"] = namespace
    document["documentKey"] = {**operation.shard_key, "_id": operation.id}
    return Event(time, token, document, shard)


def _document(token: str, kind: str, time: Timestamp) -> dict[str, Any]:
    return {
        "_id": {"_data": token},
        "operationType": kind,
        "clusterTime": time,
        "wallTime": datetime.now(UTC),
    }
