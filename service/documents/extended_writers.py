"""Values of BSON types, written as canonical Extended JSON v2: objects with keys such as `$oid`.

https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/
"""

import binascii
import math
import re
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import Any

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

FLAGS = {  # as plain integers: operations on the enumeration are slow
    "i": int(re.IGNORECASE), "l": int(re.LOCALE), "m": int(re.MULTILINE), "s": int(re.DOTALL),
    "u": int(re.UNICODE), "x": int(re.VERBOSE),
}  # fmt: skip
"""The options of a regular expression, and the flags of Python for them."""
BID = struct.Struct("<QQ")
# https://en.wikipedia.org/wiki/Decimal128_floating-point_format
EXPONENT_BIAS, MAX_EXPONENT, DIGITS = 6176, 6111, 34
SPECIAL_DECIMALS = {name: Decimal128(name).bid for name in ("NaN", "Infinity", "-Infinity")}
"""Decimals without digits, in the driver's encoding (`bid`)."""
_DOUBLE_BITS = struct.Struct("<d")
_NAN = _DOUBLE_BITS.pack(math.nan)


class Unwritable(ValueError):
    """Extended JSON cannot tell the value from another one."""


def _write_int(value: int) -> dict[str, str]:
    return {"$numberInt": str(value)}


def _write_long(value: int) -> dict[str, str]:
    return {"$numberLong": str(int(value))}


def _write_double(value: float) -> dict[str, str]:
    if math.isfinite(value):
        return {"$numberDouble": repr(value)}
    if math.isnan(value):
        if _DOUBLE_BITS.pack(value) != _NAN:
            raise Unwritable
        return {"$numberDouble": "NaN"}
    return {"$numberDouble": "Infinity" if value > 0 else "-Infinity"}


def _write_decimal(value: Decimal128) -> dict[str, str]:
    return {"$numberDecimal": decimal_text(value)}


def decimal_text(value: Decimal128) -> str:
    """The number as text, without any loss. Raises `Unwritable`."""
    low, high = BID.unpack(value.bid)
    significand = (high & (2**49 - 1)) << 64 | low
    if high >> 61 & 3 == 3 or significand >= 10**DIGITS:
        for name, bid in SPECIAL_DECIMALS.items():
            if bid == value.bid:
                return name
        raise Unwritable
    sign = "-" if high >> 63 else ""
    exponent = (high >> 49 & 0x3FFF) - EXPONENT_BIAS
    if exponent == 0:
        return f"{sign}{significand}"
    return str(Decimal(f"{sign}{significand}E{exponent}"))


def _write_date(value: DatetimeMS) -> dict[str, Any]:
    return {"$date": {"$numberLong": str(int(value))}}


def _write_bytes(value: bytes) -> dict[str, Any]:
    return _write_binary(Binary(value, 0))


def _write_binary(value: Binary) -> dict[str, Any]:
    text = binascii.b2a_base64(value, newline=False).decode()
    return {"$binary": {"base64": text, "subType": f"{value.subtype:02x}"}}


def _write_regex(value: Regex[Any]) -> dict[str, Any]:
    if not isinstance(value.pattern, str):
        raise Unwritable
    flags = int(value.flags)
    options = "".join([letter for letter, flag in FLAGS.items() if flags & flag])
    return {"$regularExpression": {"pattern": value.pattern, "options": options}}


def _write_code(value: Code) -> dict[str, Any]:
    scope = value.scope
    return {"$code": str(value)} | ({} if scope is None else {"$scope": scope})


WRITERS: dict[type, Callable[[Any], dict[str, Any]]] = {
    int: _write_int,
    Int64: _write_long,
    float: _write_double,
    Decimal128: _write_decimal,
    DatetimeMS: _write_date,
    ObjectId: lambda value: {"$oid": str(value)},
    bytes: _write_bytes,
    Binary: _write_binary,
    Regex: _write_regex,
    Timestamp: lambda value: {"$timestamp": {"t": value.time, "i": value.inc}},
    Code: _write_code,
    MinKey: lambda _: {"$minKey": 1},
    MaxKey: lambda _: {"$maxKey": 1},
}
"""How to write each type that JSON lacks. The scope of a `Code` is left as it is."""
