"""Changes, read from the database's events."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from service.documents import layout
from service.documents.ids import Key, key_in
from service.store.feed.positions import Position

PUTS = {"insert", "replace", "update"}
ENDS = {"drop", "rename", "dropDatabase", "invalidate"}
"""Events that end a change stream: the collection is gone."""


@dataclass(slots=True)
class Change:
    """A document was written (`document`, as BSON) or deleted (None)."""

    position: Position
    key: bytes  # the document {"_id": ...}, as BSON
    document: bytes | None
    wire: bytes = field(default=b"", compare=False)
    """The event as it is sent, encoded once for all subscribers."""

    @property
    def id(self) -> Key:
        return key_in(self.key)

    @property
    def size(self) -> int:
        return len(self.key) + len(self.document or b"")


class Interrupted(Exception):
    """The collection was dropped or renamed: its history ends here."""


def read_change(event: RawBSONDocument) -> Change | None:
    """The change in an event of the database; None if there is none. Raises `Interrupted`."""
    kind = event["operationType"]
    if kind in ENDS:
        raise Interrupted
    if kind not in PUTS and kind != "delete":
        return None
    time = event["clusterTime"]
    position = Position(time.time << 32 | time.inc, event["_id"]["_data"])
    # In a sharded collection, the document's key has the fields of the shard key, too.
    key = layout.whole(layout.element(event["documentKey"].raw, b"_id"))
    if kind == "delete":
        return Change(position, key, None)
    document = event.get("fullDocument")
    if document is None:  # of an update, and deleted since: the deletion comes next
        return None
    return Change(position, key, bytes(document.raw))


def parts(changes: Sequence[Change], max_bytes: int) -> Iterable[Sequence[Change]]:
    """The same changes in parts of about `max_bytes`, each of one change at least."""
    start = size = 0
    for end, change in enumerate(changes, 1):
        size += change.size
        if size >= max_bytes or end == len(changes):
            yield changes[start:end]
            start, size = end, 0


def prefixed(filter: Mapping[str, Any]) -> dict[str, Any]:
    """A filter of documents as a filter of the events that contain them."""
    return {
        key if key.startswith("$") else f"fullDocument.{key}": [prefixed(child) for child in value]
        if key.startswith("$")
        else value
        for key, value in filter.items()
    }


def pipeline(filter: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """The stages after `$changeStream`: the filter, and the removal of unneeded fields.

    Deletions cannot be filtered, since the document is no longer there. `updateDescription` repeats
    what `fullDocument` has: without it, an update of a large document fits into an event, which has
    16 MiB at most. Excluding it keeps `_id`, which must not change.
    """
    stages: list[dict[str, Any]] = []
    if filter is not None:
        others = {"operationType": {"$in": ["delete", *sorted(ENDS)]}}
        stages.append({"$match": {"$or": [others, prefixed(filter)]}})
    stages.append({"$project": {"updateDescription": 0}})
    return stages


def filter_key(filter: Mapping[str, Any] | None) -> bytes:
    """A key that is the same for equal filters."""
    return b"" if filter is None else bson.encode(filter)
