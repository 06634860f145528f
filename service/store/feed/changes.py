"""Changes, and their places in the history of the collection."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument

from service.documents import layout
from service.errors import InvalidParameter

PUTS = {"insert", "replace", "update"}
ENDS = {"drop", "rename", "dropDatabase", "invalidate"}
"""What ends a change stream: the collection is not there any more."""

_POSITION = re.compile(r"([0-9a-f]{16})\.([0-9a-zA-Z+/=_-]{1,4000})")


@dataclass(frozen=True, slots=True)
class Position:
    """A place behind a change: the cluster time in which it was made, and the token by which the
    database finds it. Of two with different times the later one is behind the other."""

    time: int
    token: str

    def __str__(self) -> str:
        return f"{self.time:016x}.{self.token}"


def parse_position(text: str) -> Position:
    """The position in the id of an event. Raises `InvalidParameter`."""
    match = _POSITION.fullmatch(text)
    if match is None:
        raise InvalidParameter(
            "last_event_id",
            "This is no id of an event of this feed. Send one that it has sent, or none.",
        )
    return Position(int(match[1], 16), match[2])


@dataclass(slots=True)
class Change:
    """A document was written (`document`, as BSON) or deleted (None)."""

    position: Position
    key: bytes  # the document {"_id": ...}, as BSON
    document: bytes | None
    wire: bytes = field(default=b"", compare=False)
    """How it is sent, made once for all subscribers."""

    @property
    def id(self) -> Any:
        return layout.id_of(self.key)

    @property
    def size(self) -> int:
        return len(self.key) + len(self.document or b"")


class Interrupted(Exception):
    """The collection was dropped or renamed: its history ends here."""


def read_change(event: RawBSONDocument) -> Change | None:
    """The change in an event of the database; None if it tells nothing. Raises `Interrupted`."""
    kind = event["operationType"]
    if kind in ENDS:
        raise Interrupted
    if kind not in PUTS and kind != "delete":
        return None
    time = event["clusterTime"]
    position = Position(time.time << 32 | time.inc, event["_id"]["_data"])
    key = bytes(event["documentKey"].raw)
    if kind == "delete":
        return Change(position, key, None)
    document = event.get("fullDocument")
    if document is None:  # of an update, and deleted since: that is told next
        return None
    return Change(position, key, bytes(document.raw))


def resume_token(position: Position) -> dict[str, str]:
    return {"_data": position.token}


def prefixed(filter: Mapping[str, Any]) -> dict[str, Any]:
    """A filter of documents as one of the events that carry them."""
    return {
        key if key.startswith("$") else f"fullDocument.{key}": [prefixed(child) for child in value]
        if key.startswith("$")
        else value
        for key, value in filter.items()
    }


def pipeline(filter: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """What the database leaves out of the change stream. Deletions cannot be filtered, since the
    document is not there any more."""
    if filter is None:
        return []
    others = {"operationType": {"$in": ["delete", *sorted(ENDS)]}}
    return [{"$match": {"$or": [others, prefixed(filter)]}}]


def filter_key(filter: Mapping[str, Any] | None) -> bytes:
    """The same for equal filters."""
    return b"" if filter is None else bson.encode(filter)
