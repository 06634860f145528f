"""A value of each BSON type."""

from datetime import UTC, datetime
from typing import Any

import bson
from bson.datetime_ms import DatetimeMS

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
VALUES: dict[str, Any] = {
    "double": 1.5,
    "string": "a\0b",
    "object": {"_id": 1, "_stuff": 2},
    "array": [1, [2, {"x": 3}]],
    "binary": b"\0\1",
    "old binary": bson.Binary(b"\0\1", 2),
    "object id": bson.ObjectId("65f000000000000000000000"),
    "boolean": True,
    "date": NOW,
    "far date": DatetimeMS(10**15),
    "null": None,
    "regex": bson.Regex("a", "i"),
    "reference": bson.DBRef("c", 1),
    "code": bson.Code("f()"),
    "scoped code": bson.Code("f()", {"x": 1}),
    "int32": 1,
    "timestamp": bson.Timestamp(1, 2),
    "int64": bson.Int64(1),
    "decimal": bson.Decimal128("1.5"),
    "min": bson.MinKey(),
    "max": bson.MaxKey(),
    "": "",
}
# Types that are not written any more: undefined, symbol, and a pointer to a document.
DEPRECATED = {
    "undefined": b"\x06k\0",
    "symbol": b"\x0ek\0\x02\0\0\0s\0",
    "pointer": b"\x0ck\0\x02\0\0\0c\0" + bytes(12),
}


def whole(content: bytes) -> bytes:
    return (len(content) + 5).to_bytes(4, "little") + content + b"\0"
