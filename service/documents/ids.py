"""The ids of documents: which are allowed, and how new ones are made."""

import unicodedata
from collections.abc import Hashable
from typing import TypeAlias

from uuid_utils import uuid7

from service.documents import codec, layout
from service.documents.query.values import comparable
from service.errors import InvalidId

MAX_ID_BYTES = 512
_TEXT = 0x02  # the element type of text


def check_id(id: str) -> str:
    """The id itself. Raises `InvalidId` unless it has 1 to 512 bytes and no control character."""
    if not id:
        raise InvalidId(
            "The id is empty. Add one to the path, or POST to the collection to get one."
        )
    size = len(id.encode())
    if size > MAX_ID_BYTES:
        raise InvalidId(f"The id has {size:,} bytes in UTF-8; at most {MAX_ID_BYTES} are allowed.")
    # isprintable is the fast check: no control character is printable.
    if not id.isprintable() and any(unicodedata.category(character) == "Cc" for character in id):
        raise InvalidId("The id holds a control character. Use printable characters.")
    return id


Key: TypeAlias = Hashable
"""What documents are told apart by: a text id itself, or what `key_of` returns."""


def key_of(element: bytes) -> Key:
    """The key of an element `_id`. Ids that are equal for MongoDB, such as 1 and 1.0, have the same
    key."""
    if element[0] == _TEXT:
        try:
            return element[9:-1].decode()
        except UnicodeDecodeError:
            return element
    return comparable(codec.decode(layout.whole(element))["_id"])


def new_id() -> str:
    """A new, unique id, a UUIDv7: ids sort by the time of their creation."""
    return str(uuid7())
