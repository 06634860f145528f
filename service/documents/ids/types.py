"""The types of ids that a collection can be declared with."""

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar
from uuid import UUID

from bson import Binary, Int64, ObjectId
from uuid_utils import uuid7

from service.documents.extended_readers import UUID_SUBTYPE
from service.documents.ids.keys import Id
from service.documents.ids.sequences import HexText
from service.errors import InvalidDocument, InvalidId

MAX_ID_BYTES = 512
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_INT64 = range(-(2**63), 2**63)


class Ids(ABC):
    """A type of ids."""

    name: ClassVar[str]
    """As in the file of collections."""
    rule: ClassVar[str]
    """What a canonical string is, as a sentence."""
    made: ClassVar[str]
    """What `new` makes, with its article; empty if only clients can make ids."""
    schema: ClassVar[Mapping[str, Any]] = {}
    """What a JSON Schema of canonical strings says besides `type`."""
    examples: ClassVar[tuple[str, str]]

    @abstractmethod
    def parse(self, text: str, /) -> Id:
        """The id with this canonical string. Raises `InvalidId` if it is none."""

    @abstractmethod
    def new(self) -> Id:
        """A new, unique id. Raises `InvalidDocument` if only clients can make ids."""

    @abstractmethod
    def owns(self, value: Any) -> bool:
        """Whether an `_id`, as `codec.decode` returns it, is of this type."""

    def bound(self, operator: str, text: str) -> tuple[str, Id]:
        """The operator `$gt`, `$gte`, `$lt` or `$lte` and the id that select the ids whose
        canonical strings compare so with the text. Raises `InvalidId` if there are none such."""
        return operator, self.parse(text)


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


class Texts(Ids):
    """Text, as in every collection that declares no other type."""

    name = "string"
    rule = f"An id is text of 1 to {MAX_ID_BYTES} bytes in UTF-8 without control characters."
    made = "a UUIDv7"
    examples = ("ada", "charles")
    parse = staticmethod(check_id)

    def new(self) -> str:
        """Ids sort by the time of their creation."""
        return str(uuid7())

    def owns(self, value: Any) -> bool:
        return type(value) is str


class _HexIds(Ids):
    """Ids that sort as their canonical strings do, whose digits are hexadecimal."""

    text: ClassVar[HexText]

    def parse(self, text: str, /) -> Id:
        if not self.text.has(text):
            raise InvalidId(self.rule)
        return self._of(text)

    def bound(self, operator: str, text: str) -> tuple[str, Id]:
        if self.text.has(text):
            return operator, self._of(text)
        least = self.text.least_after(text)
        if least is None:  # it comes after all ids
            return ("$gt" if operator[1] == "g" else "$lte"), self._of(self.text.last)
        return ("$gte" if operator[1] == "g" else "$lt"), self._of(least)

    @abstractmethod
    def _of(self, text: str) -> Id: ...


class ObjectIds(_HexIds):
    """https://www.mongodb.com/docs/manual/reference/bson-types/#objectid"""

    name = "objectid"
    rule = "An id of this collection is an ObjectId: 24 hexadecimal digits in lower case."
    made = "an ObjectId"
    schema: ClassVar = {"pattern": "^[0-9a-f]{24}$"}
    examples = ("65f0c0ffee0123456789abcd", "65f0c0ffee0123456789abce")
    text = HexText("0" * 24)

    def new(self) -> ObjectId:
        """Ids sort by the second of their creation."""
        return ObjectId()

    def owns(self, value: Any) -> bool:
        return type(value) is ObjectId

    def _of(self, text: str) -> ObjectId:
        return ObjectId(text)


class Uuids(_HexIds):
    """UUIDs (RFC 9562), which BSON has as binary values of subtype 4."""

    name = "uuid"
    rule = "An id of this collection is a UUID in lower case, with hyphens."
    made = "a UUIDv7"
    schema: ClassVar = {"format": "uuid"}
    examples = ("018e3a5f-7c00-7000-8000-0123456789ab", "018e3a5f-7c00-7000-8000-0123456789ac")
    text = HexText("00000000-0000-0000-0000-000000000000")

    def new(self) -> Binary:
        """Ids sort by the time of their creation."""
        return Binary(uuid7().bytes, UUID_SUBTYPE)

    def owns(self, value: Any) -> bool:
        return type(value) is Binary and value.subtype == UUID_SUBTYPE and len(value) == 16

    def _of(self, text: str) -> Binary:
        return Binary(UUID(text).bytes, UUID_SUBTYPE)


class Integers(Ids):
    """Integers of 64 bits, stored in 32 bits where they fit, as drivers do."""

    name = "integer"
    rule = (
        "An id of this collection is an integer of 64 bits, in decimal digits without leading "
        "zeros."
    )
    made = ""
    schema: ClassVar = {"pattern": f"^({_INTEGER.pattern})$"}
    examples = ("1815", "1871")

    def parse(self, text: str, /) -> int:
        if _INTEGER.fullmatch(text) is None or (number := int(text)) not in _INT64:
            raise InvalidId(self.rule)
        return number

    def new(self) -> int:
        raise InvalidDocument(
            "The ids of this collection are integers, which the service does not make. PUT the "
            "document under its id, or add an _id to its line.",
            ["_id"],
        )

    def owns(self, value: Any) -> bool:
        return type(value) in (int, Int64)


TEXT = Texts()
TYPES: Mapping[str, Ids] = {each.name: each for each in (TEXT, ObjectIds(), Uuids(), Integers())}
"""By their names in the file of collections."""
