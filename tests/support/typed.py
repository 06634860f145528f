"""A collection whose schema says `x-bson`, and a document of it as clients and programs see it."""

from datetime import UTC, datetime
from typing import Any

from bson import Binary, Decimal128, ObjectId


def typed(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": "string", "x-bson": kind, **more}


def at(*when: int) -> datetime:
    """A time in UTC as the driver returns it."""
    year, month, day, *rest = when
    return datetime(year, month, day, *rest, tzinfo=UTC).replace(tzinfo=None)  # type: ignore[misc,arg-type]


ORDER = {
    "title": "Order",
    "type": "object",
    "properties": {
        "due": typed("date", format="date-time"),
        "customer": typed("objectid"),
        "total": typed("decimal"),
        "seal": typed("binary"),
        "key": typed("uuid", format="uuid"),
        "paid": {"anyOf": [typed("date"), {"type": "null"}]},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}},
        "tags": {"type": "array", "items": typed("objectid")},
        "read_at": {"type": "object", "additionalProperties": typed("date")},
        "note": {"type": "string", "format": "date-time"},
    },
    "$defs": {
        "line": {
            "type": "object",
            "properties": {
                "price": typed("decimal"),
                "at": {"type": ["string", "null", "integer"], "x-bson": "date"},
                "parts": {"type": "array", "items": {"$ref": "#/$defs/line"}},
            },
        }
    },
}
ID, OTHER_ID = "65f0c0ffee65f0c0ffee65f0", "000000000000000000000001"
UUID = "0190a0b0-7c3e-7d64-9f2e-3b1f5d8c2a10"
CANONICAL: dict[str, Any] = {
    "total": "12.50",
    "due": "2026-12-01T08:30:00.125Z",
    "customer": ID,
    "seal": "AP8=",
    "key": UUID,
    "paid": None,
    "lines": [{"price": "1E+3", "at": "1969-12-31T23:59:59.999Z", "parts": [{"price": "-0.0"}]}],
    "tags": [ID, OTHER_ID],
    "read_at": {"ada": "0001-01-01T00:00:00.000Z", "bob": "9999-12-31T23:59:59.999Z"},
    "note": "2026-12-01T10:00:00+02:00",
    "more": "2026-12-01T10:00:00+02:00",
}


STORED: dict[str, Any] = {
    "total": Decimal128("12.50"),
    "due": at(2026, 12, 1, 8, 30, 0, 125_000),
    "customer": ObjectId(ID),
    "seal": b"\x00\xff",
    "key": Binary(bytes.fromhex(UUID.replace("-", "")), 4),
    "paid": None,
    "lines": [
        {
            "price": Decimal128("1E+3"),
            "at": at(1969, 12, 31, 23, 59, 59, 999_000),
            "parts": [{"price": Decimal128("-0.0")}],
        }
    ],
    "tags": [ObjectId(ID), ObjectId(OTHER_ID)],
    "read_at": {"ada": at(1, 1, 1), "bob": at(9999, 12, 31, 23, 59, 59, 999_000)},
    "note": "2026-12-01T10:00:00+02:00",
    "more": "2026-12-01T10:00:00+02:00",
}
