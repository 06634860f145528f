"""Values of BSON types, read from canonical Extended JSON v2: objects with keys such as `$oid`.

An object that would be stored as another value than it shows is malformed. Dates and UUIDs may also
have their shorter forms.

https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/
"""

import binascii
import math
import re
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from decimal import DecimalException
from typing import Any
from uuid import UUID

from bson import (
    Binary,
    Code,
    DatetimeMS,
    Decimal128,
    Int64,
    MaxKey,
    MinKey,
    ObjectId,
    Regex,
    Timestamp,
)

from service.documents.extended_writers import (
    BID,
    DIGITS,
    EXPONENT_BIAS,
    FLAGS,
    MAX_EXPONENT,
    SPECIAL_DECIMALS,
)

INT32_MAX, UINT32_MAX, INT64_MAX = 2**31 - 1, 2**32 - 1, 2**63 - 1
UUID_SUBTYPE = 4
MAX_DOUBLE_TEXT = 1100  # characters; the longest exact double has 1,077

_INTEGER = re.compile(r"-?[0-9]{1,19}")
_DOUBLE = re.compile(r"-?[0-9]+(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")
DECIMAL = re.compile(r"(-?)([0-9]+)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]{1,5}))?")
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{24}")
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(?:\.([0-9]{1,9}))?(?:Z|[+-][0-9:]{4,5})")
_SUBTYPE = re.compile(r"[0-9a-fA-F]{1,2}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_INFINITIES = {"Infinity": math.inf, "-Infinity": -math.inf}


class Malformed(ValueError):
    """An object has the key of a type, but is not a value of it. `path` has the keys in the object
    that lead to the fault."""

    def __init__(self, detail: str, *path: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path


def _keys(value: dict[str, Any], keys: Collection[str], *path: str) -> None:
    if len(value) != len(keys) or any(key not in value for key in keys):
        raise Malformed(f"It has exactly these keys: {', '.join(keys)}.", *path)


def _text(value: Any, pattern: re.Pattern[str], expected: str, *path: str) -> re.Match[str]:
    match = pattern.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise Malformed(f"Give {expected}.", *path)
    return match


def _integer(value: Any, limit: int, expected: str, *path: str) -> int:
    number = int(_text(value, _INTEGER, expected, *path)[0])
    if not -limit - 1 <= number <= limit:
        raise Malformed(f"Give {expected}.", *path)
    return number


def _read_int(value: dict[str, Any]) -> int:
    _keys(value, ("$numberInt",))
    return _integer(value["$numberInt"], INT32_MAX, "an integer of 32 bits as text", "$numberInt")


def _read_long(value: dict[str, Any], *path: str) -> Int64:
    _keys(value, ("$numberLong",), *path)
    expected = "an integer of 64 bits as text"
    return Int64(_integer(value["$numberLong"], INT64_MAX, expected, *path, "$numberLong"))


def _read_double(value: dict[str, Any]) -> float:
    _keys(value, ("$numberDouble",))
    text = value["$numberDouble"]
    if text == "NaN":
        return math.nan
    if isinstance(text, str) and text in _INFINITIES:
        return _INFINITIES[text]
    expected = "a number as text, or Infinity, -Infinity or NaN"
    if isinstance(text, str) and len(text) > MAX_DOUBLE_TEXT:
        raise Malformed(f"Give at most {MAX_DOUBLE_TEXT:,} characters.", "$numberDouble")
    number = float(_text(text, _DOUBLE, expected, "$numberDouble")[0])
    if math.isinf(number):
        raise Malformed("The number is larger than any 64-bit float.", "$numberDouble")
    return number


def _read_decimal(value: dict[str, Any]) -> Decimal128:
    _keys(value, ("$numberDecimal",))
    text = value["$numberDecimal"]
    if isinstance(text, str) and text in SPECIAL_DECIMALS:
        return Decimal128(text)
    expected = "a decimal number as text, or Infinity, -Infinity or NaN"
    return decimal_of(_text(text, DECIMAL, expected, "$numberDecimal"))


def decimal_of(match: re.Match[str]) -> Decimal128:
    """The number of a match of `DECIMAL`. Raises `Malformed` if it has too many digits."""
    sign, whole, fraction, power = match.groups("")
    digits = whole + fraction
    exponent = int(power or 0) - len(fraction)
    if len(digits) <= DIGITS and -EXPONENT_BIAS <= exponent <= MAX_EXPONENT:
        significand = int(digits)
        high = (exponent + EXPONENT_BIAS) << 49 | significand >> 64 | (2**63 if sign else 0)
        return Decimal128.from_bid(BID.pack(significand & (2**64 - 1), high))
    try:
        return Decimal128(match[0])
    except DecimalException:
        raise Malformed("It has more than 34 digits, or too large an exponent.") from None


def _read_object_id(value: dict[str, Any]) -> ObjectId:
    _keys(value, ("$oid",))
    return ObjectId(_text(value["$oid"], _OBJECT_ID, "24 hexadecimal digits", "$oid")[0])


def _read_date(value: dict[str, Any]) -> DatetimeMS:
    _keys(value, ("$date",))
    sent = value["$date"]
    if isinstance(sent, dict):
        return DatetimeMS(int(_read_long(sent, "$date")))
    expected = '{"$numberLong": milliseconds since 1970, as text}, or a time such as '
    match = _text(sent, _DATE, expected + "2026-01-01T00:00:00.000Z", "$date")
    if (match[1] or "")[3:].strip("0"):
        raise Malformed("BSON stores milliseconds. Leave the smaller digits out.", "$date")
    try:
        return DatetimeMS((datetime.fromisoformat(sent) - _EPOCH) // _MILLISECOND)
    except (ValueError, OverflowError, TypeError):
        raise Malformed("There is no such time.", "$date") from None


def _read_binary(value: dict[str, Any]) -> bytes:
    _keys(value, ("$binary",))
    sent = value["$binary"]
    if not isinstance(sent, dict):
        raise Malformed('Give {"base64": text, "subType": two hexadecimal digits}.', "$binary")
    _keys(sent, ("base64", "subType"), "$binary")
    subtype = _text(sent["subType"], _SUBTYPE, "two hexadecimal digits", "$binary", "subType")[0]
    try:
        content = binascii.a2b_base64(sent["base64"], strict_mode=True)
    except (TypeError, ValueError):  # ValueError: not base64, or not ASCII
        raise Malformed("Give base64 (RFC 4648).", "$binary", "base64") from None
    number = int(subtype, 16)
    return content if number == 0 else Binary(content, number)


def _read_uuid(value: dict[str, Any]) -> Binary:
    _keys(value, ("$uuid",))
    text = _text(value["$uuid"], _UUID, "a UUID with hyphens", "$uuid")[0]
    return Binary(UUID(text).bytes, UUID_SUBTYPE)


def _read_regex(value: dict[str, Any]) -> Regex[str]:
    key = "$regularExpression"
    _keys(value, (key,))
    sent = value[key]
    if not isinstance(sent, dict):
        raise Malformed('Give {"pattern": text, "options": letters}.', key)
    _keys(sent, ("pattern", "options"), key)
    pattern, options = sent["pattern"], sent["options"]
    if not isinstance(pattern, str) or "\0" in pattern:
        raise Malformed("Give text without NUL.", key, "pattern")
    if not isinstance(options, str) or list(options) != sorted(set(options) & FLAGS.keys()):
        raise Malformed(f"Give letters of {''.join(FLAGS)!r}, sorted.", key, "options")
    return Regex(pattern, options)


def _read_timestamp(value: dict[str, Any]) -> Timestamp:
    _keys(value, ("$timestamp",))
    sent = value["$timestamp"]
    if not isinstance(sent, dict):
        raise Malformed('Give {"t": seconds since 1970, "i": a number}.', "$timestamp")
    _keys(sent, ("t", "i"), "$timestamp")
    for key, number in sent.items():
        if type(number) is not int or not 0 <= number <= UINT32_MAX:
            raise Malformed("Give an integer from 0 to 4294967295.", "$timestamp", key)
    return Timestamp(sent["t"], sent["i"])


def _read_code(value: dict[str, Any]) -> Code:
    scope = value.get("$scope")
    _keys(value, ("$code",) if "$scope" not in value else ("$code", "$scope"))
    if not isinstance(value["$code"], str):
        raise Malformed("Give text.", "$code")
    if "$scope" not in value:
        return Code(value["$code"])
    if not isinstance(scope, dict) or not READERS.keys().isdisjoint(scope):
        raise Malformed("Give an object of variables.", "$scope")
    return Code(value["$code"], scope)


def _read_min_key(value: dict[str, Any]) -> MinKey:
    _check_one(value, "$minKey")
    return MinKey()


def _read_max_key(value: dict[str, Any]) -> MaxKey:
    _check_one(value, "$maxKey")
    return MaxKey()


def _check_one(value: dict[str, Any], key: str) -> None:
    _keys(value, (key,))
    if type(value[key]) is not int or value[key] != 1:
        raise Malformed("Give 1.", key)


def _refuse_deprecated(value: dict[str, Any]) -> Any:
    raise Malformed(f"{next(iter(value))} is a deprecated type. Send another one.")


READERS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "$numberInt": _read_int,
    "$numberLong": _read_long,
    "$numberDouble": _read_double,
    "$numberDecimal": _read_decimal,
    "$date": _read_date,
    "$oid": _read_object_id,
    "$binary": _read_binary,
    "$uuid": _read_uuid,
    "$regularExpression": _read_regex,
    "$timestamp": _read_timestamp,
    "$code": _read_code,
    "$minKey": _read_min_key,
    "$maxKey": _read_max_key,
    "$symbol": _refuse_deprecated,
    "$undefined": _refuse_deprecated,
    "$dbPointer": _refuse_deprecated,
}
"""How to read an object that has one of these keys. Each raises `Malformed`. The values in the
scope of a `Code` are left as they are."""


def read_value(value: dict[str, Any]) -> Any:
    """The BSON value of an object that has one of the keys of `READERS`."""
    for key in value:
        if key in READERS:
            return READERS[key](value)
    raise KeyError
