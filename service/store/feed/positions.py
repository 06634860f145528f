"""Positions in the history of a collection, and which of two comes first."""

import re
from dataclasses import dataclass
from functools import cached_property

import bson
from bson import Timestamp
from bson.errors import BSONError

from service.errors import InvalidParameter

_POSITION = re.compile(r"([0-9a-f]{16})\.([0-9a-fA-F]+)")
MAX_POSITION = 4096
"""Characters of a position: a resume token has some hundred."""
_KEY_STRING = re.compile(r"82(?!000000)[0-9a-fA-F]{16,}")


@dataclass(frozen=True)
class Position:
    """A place after a change, or between two: the token by which the database finds it, and the
    cluster time (64 bits) of the last change before it, 0 if that is not known.

    Only tokens are compared: the changes of one transaction have the same time, and a place between
    two changes has none of its own. The time is informative, and kept for older versions.
    """

    time: int
    token: str

    def __str__(self) -> str:
        return f"{self.time:016x}.{self.token}"

    def reaches(self, other: "Position") -> bool:
        """Whether a reader that has come here has seen everything up to the other position. False
        also if that is unknown: tokens of unknown form are only compared for equality."""
        if self.token == other.token:
            return True
        mine, others = self._order, other._order
        return mine is not None and others is not None and mine[0] == others[0] and mine >= others

    @cached_property
    def _order(self) -> tuple[str, str] | None:
        return _order(self.token)


def _order(token: str) -> tuple[str, str] | None:
    """The form of a token, and a text that sorts in the order of the tokens of this form.

    MongoDB's are KeyStrings in hexadecimal, made to be sorted as bytes: type and cluster time
    first, then the place within a transaction (src/mongo/db/pipeline/resume_token.h). mongos merges
    the changes of its shards in this order. SecantusDB's are BSON with the number of the entry
    in its log.
    """
    if _KEY_STRING.fullmatch(token):
        return "keystring", token.upper()
    try:
        data = bson.decode(bytes.fromhex(token))
    except (ValueError, BSONError):
        return None
    number = data.get("s")
    if isinstance(number, int) and isinstance(data.get("t"), Timestamp):
        return "sequence", f"{number:020}"
    return None


def parse_position(text: str) -> Position:
    """The position in the id of an event. Raises `InvalidParameter`."""
    match = _POSITION.fullmatch(text) if len(text) <= MAX_POSITION else None
    if match is None:
        raise InvalidParameter(
            "last_event_id",
            "This is not the id of an event of this feed. Send one that the feed has sent, or "
            "none.",
        )
    return Position(int(match[1], 16), match[2])
