"""The BSON types that a string may be stored as, by their names for `x-bson`.

Each value has one canonical string, as which it is read. Other strings for it may be sent: a time
with an offset, for example. What has no canonical string, such as a date after the year 9999, is
no value of the type here.
"""

import binascii
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from bson import Binary, Decimal128, ObjectId

from service.documents.extended_readers import DECIMAL, UUID_SUBTYPE, Malformed, decimal_of
from service.documents.extended_writers import SPECIAL_DECIMALS, Unwritable, decimal_text

_DATE = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A BSON type, and its strings."""

    name: str
    expected: str
    """What to send, in a sentence."""
    read: Callable[[str], Any]
    """The value that a string stands for. Raises `ValueError`."""
    write: Callable[[Any], str | None]
    """The canonical string of a value of `codec.decode`; None if it has none, or is of another
    type."""

    def canonical(self, text: str) -> str:
        """The string as which it is read again. Raises `ValueError`."""
        written = self.write(self.read(text))
        assert written is not None
        return written


def _read_date(text: str) -> datetime:
    """RFC 3339, section 5.6, in the years 1 to 9999 in UTC. BSON has no digits after
    milliseconds."""
    if _DATE.fullmatch(text) is None:
        raise ValueError
    if text[-1] in "Zz":
        return datetime.fromisoformat(text[:-1])  # without a zone, as the driver decodes dates
    try:
        return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)
    except OverflowError:
        raise ValueError from None


def _write_date(value: Any) -> str | None:
    # The driver decodes those of other years as `DatetimeMS`.
    if type(value) is datetime:
        return value.isoformat("T", "milliseconds") + "Z"
    return None


def _read_object_id(text: str) -> ObjectId:
    if _OBJECT_ID.fullmatch(text) is None:
        raise ValueError
    return ObjectId(text)


def _write_object_id(value: Any) -> str | None:
    return str(value) if type(value) is ObjectId else None


def _read_decimal(text: str) -> Decimal128:
    if text in SPECIAL_DECIMALS:
        return Decimal128(text)
    match = DECIMAL.fullmatch(text)
    if match is None:
        raise ValueError
    try:
        return decimal_of(match)
    except Malformed:
        raise ValueError from None


def _write_decimal(value: Any) -> str | None:
    try:
        return decimal_text(value) if type(value) is Decimal128 else None
    except Unwritable:
        return None


def _read_binary(text: str) -> bytes:
    return binascii.a2b_base64(text, strict_mode=True)  # `binascii.Error` is a `ValueError`


def _write_binary(value: Any) -> str | None:
    # The driver decodes only the subtype 0 as `bytes`.
    if type(value) is bytes:
        return binascii.b2a_base64(value, newline=False).decode()
    return None


def _read_uuid(text: str) -> Binary:
    if _UUID.fullmatch(text) is None:
        raise ValueError
    return Binary(UUID(text).bytes, UUID_SUBTYPE)


def _write_uuid(value: Any) -> str | None:
    if type(value) is Binary and value.subtype == UUID_SUBTYPE and len(value) == 16:
        digits = value.hex()  # `UUID` takes three times as long
        return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
    return None


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "date",
            "Give a time such as 2026-01-31T12:00:00Z, in the years 1 to 9999.",
            _read_date,
            _write_date,
        ),
        Kind("objectid", "Give 24 hexadecimal digits.", _read_object_id, _write_object_id),
        Kind(
            "decimal",
            "Give a decimal number of at most 34 digits, such as 12.50.",
            _read_decimal,
            _write_decimal,
        ),
        Kind("binary", "Give base64 (RFC 4648, section 4).", _read_binary, _write_binary),
        Kind("uuid", "Give a UUID with hyphens.", _read_uuid, _write_uuid),
    )
}
"""By their names for `x-bson`."""
