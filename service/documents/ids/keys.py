"""By what documents are told apart, and the canonical strings of their ids."""

import struct
from collections.abc import Hashable
from typing import TypeAlias
from uuid import UUID

from bson import Binary, ObjectId

from service.documents import codec, layout
from service.documents.query.values import Rank, comparable

Id: TypeAlias = str | ObjectId | Binary | int
"""An `_id` that has a path: of a type that a collection can be declared with."""

Key: TypeAlias = Hashable
"""What documents are told apart by: an id itself, or what `key_of` returns. Those of two ids are
equal if the ids are equal for MongoDB, such as 1 and 1.0, but not 1 and true."""

_TEXT = 0x02  # the element type of text
_TEXT_ID = b"\x02_id\0"
_INT32 = struct.Struct("<i")
_THEMSELVES = (Rank.OBJECT_ID, Rank.BINARY)
"""Types whose values are equal in Python if they are for MongoDB."""


def key_in(document: bytes) -> Key:
    """The key of a stored document."""
    if document.startswith(_TEXT_ID, 4):
        end = 12 + _INT32.unpack_from(document, 9)[0]
        try:
            return document[13:end].decode()
        except UnicodeDecodeError:
            return document[4 : end + 1]
    return key_of(layout.element(document, b"_id"))


def key_of(element: bytes) -> Key:
    """The key of an element `_id`."""
    if element[0] == _TEXT:
        try:
            return element[9:-1].decode()
        except UnicodeDecodeError:
            return element
    value: Key = codec.decode(layout.whole(element))["_id"]
    key = comparable(value)
    if key[0] is Rank.NUMBER:
        number: Key = key[1]
        return number
    return value if key[0] in _THEMSELVES else key


def canonical(id: Id) -> str:
    """The canonical string of an id."""
    if type(id) is str:
        return id
    return str(UUID(bytes=id)) if isinstance(id, Binary) else str(id)
