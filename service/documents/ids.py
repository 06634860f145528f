"""The ids of documents: which are allowed, and how new ones are made."""

import unicodedata

from uuid_utils import uuid7

from service.errors import InvalidId

MAX_ID_BYTES = 512


def check_id(id: str) -> str:
    """The id itself. Raises `InvalidId` unless it has 1 to 512 bytes and no control character."""
    if not id:
        raise InvalidId("The id is empty. Put one after /stuff/, or POST to /stuff to get one.")
    size = len(id.encode())
    if size > MAX_ID_BYTES:
        raise InvalidId(f"The id has {size:,} bytes in UTF-8; at most {MAX_ID_BYTES} are allowed.")
    # isprintable is the fast check: no control character is printable.
    if not id.isprintable() and any(unicodedata.category(character) == "Cc" for character in id):
        raise InvalidId("The id holds a control character. Use printable characters.")
    return id


def new_id() -> str:
    """A new, unique id, a UUIDv7: ids sort by the time of their creation."""
    return str(uuid7())
