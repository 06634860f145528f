"""Extended JSON is read strictly: what would be stored as another value is refused."""

from typing import Any

import bson
import pytest
from bson import (
    Binary,
    Code,
    DatetimeMS,
    Decimal128,
    Int64,
    ObjectId,
)

from service.errors import InvalidDocument, MalformedJSON
from tests.support.extended import restored


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5),
        ("5000000000", Int64(5000000000)),
        ("5.0", 5.0),
        ('{"$date": "1970-01-01T01:00:00.5+01:00"}', DatetimeMS(500)),
        ('{"$date": "1969-12-31T23:59:59.999Z"}', DatetimeMS(-1)),
        ('{"$uuid": "00112233-4455-6677-8899-AABBCCDDEEFF"}',
         Binary(bytes.fromhex("00112233445566778899aabbccddeeff"), 4)),
        ('{"$numberDecimal": "1e3"}', Decimal128("1E+3")),
        ('{"$numberDecimal": "%s"}' % ("1" + "0" * 34), Decimal128("1" + "0" * 34)),
        ('{"$numberDouble": "1"}', 1.0),
        ('{"$scope": {"$code": "x"}}', {"$scope": Code("x")}),
        ('{"$regex": "a", "$options": "i"}', {"$regex": "a", "$options": "i"}),
        ('{"$ref": "c", "$id": {"$oid": "65f000000000000000000000"}}',
         {"$ref": "c", "$id": ObjectId("65f000000000000000000000")}),
    ],
)  # fmt: skip
def test_shorter_forms_are_read_too(written: str, value: Any) -> None:
    assert restored(f'{{"a": {written}}}'.encode()) == bson.encode({"a": value})


MALFORMED = {
    '{"$oid": "zz"}': "/$oid",
    '{"$oid": 5}': "/$oid",
    '{"$oid": "65f000000000000000000000", "x": 1}': "",
    '{"x": 1, "$oid": "65f000000000000000000000"}': "",
    '{"$date": 5}': "/$date",
    '{"$date": "yesterday"}': "/$date",
    '{"$date": "2026-02-30T00:00:00Z"}': "/$date",
    '{"$date": "2026-01-01T00:00:00"}': "/$date",
    '{"$date": "2026-01-01T00:00:00.0001Z"}': "/$date",
    '{"$date": "0001-01-01T00:00:00+9999"}': "/$date",
    '{"$date": {"$numberLong": 5}}': "/$date/$numberLong",
    '{"$date": {"$numberLong": "9223372036854775808"}}': "/$date/$numberLong",
    '{"$date": {}}': "/$date",
    '{"$numberInt": 5}': "/$numberInt",
    '{"$numberInt": "2147483648"}': "/$numberInt",
    '{"$numberInt": "1_0"}': "/$numberInt",
    '{"$numberInt": "\\u0661"}': "/$numberInt",
    '{"$numberLong": "1.0"}': "/$numberLong",
    '{"$numberLong": "-9223372036854775809"}': "/$numberLong",
    '{"$numberDouble": "inf"}': "/$numberDouble",
    '{"$numberDouble": "1e999"}': "/$numberDouble",
    '{"$numberDouble": 1.5}': "/$numberDouble",
    '{"$numberDouble": "%s"}' % ("1" * 2000): "/$numberDouble",
    '{"$numberDecimal": "1e9999"}': "",
    '{"$numberDecimal": "%s"}' % ("1" * 35): "",
    '{"$numberDecimal": "x"}': "/$numberDecimal",
    '{"$numberDecimal": 1}': "/$numberDecimal",
    '{"$binary": "AA=="}': "/$binary",
    '{"$binary": "AA==", "$type": "00"}': "",
    '{"$binary": {"base64": "A", "subType": "00"}}': "/$binary/base64",
    '{"$binary": {"base64": "\\u00e4", "subType": "00"}}': "/$binary/base64",
    '{"$binary": {"base64": 5, "subType": "00"}}': "/$binary/base64",
    '{"$binary": {"base64": "", "subType": "xx"}}': "/$binary/subType",
    '{"$binary": {"base64": "", "subType": 0}}': "/$binary/subType",
    '{"$uuid": "x"}': "/$uuid",
    '{"$regularExpression": "a"}': "/$regularExpression",
    '{"$regularExpression": {"pattern": "a"}}': "/$regularExpression",
    '{"$regularExpression": {"pattern": "\\u0000", "options": ""}}': "/$regularExpression/pattern",
    '{"$regularExpression": {"pattern": "", "options": "z"}}': "/$regularExpression/options",
    '{"$regularExpression": {"pattern": "", "options": "mi"}}': "/$regularExpression/options",
    '{"$timestamp": {"t": -1, "i": 0}}': "/$timestamp/t",
    '{"$timestamp": {"t": 0, "i": true}}': "/$timestamp/i",
    '{"$timestamp": 5}': "/$timestamp",
    '{"$minKey": true}': "/$minKey",
    '{"$maxKey": 1.0}': "/$maxKey",
    '{"$code": 5}': "/$code",
    '{"$code": "f", "$scope": {"$oid": "x"}}': "/$scope",
    '{"$code": "f", "$scope": {"x": {"$oid": "x"}}}': "/$scope/x/$oid",
    '{"$symbol": "s"}': "",
    '{"$undefined": true}': "",
    '{"$dbPointer": {"$ref": "c", "$id": {"$oid": "65f000000000000000000000"}}}': "",
}  # fmt: skip


@pytest.mark.parametrize("value", MALFORMED)
def test_what_would_be_stored_as_another_value_is_refused_with_a_pointer(value: str) -> None:
    with pytest.raises(InvalidDocument) as raised:
        restored(b'{"a": [1, %s]}' % value.encode())
    assert raised.value.pointer == "/a/1" + MALFORMED[value]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"a": {"$oid": "x", "$oid": "y"}}', "/a/$oid"),
        (b'{"a": [{"b": 1, "b": 2}]}', "/a/0/b"),
        (b'{"a": {"\\u0000": 1}}', "/a/\0"),
        (b'{"a": 9223372036854775808}', "/a"),
        (b'{"$bson": 5}', "/$bson"),
        (b'{"$bson": "x"}', "/$bson"),
        (b'{"$bson": [{}]}', "/$bson"),
        (b'{"$bson": {"$binary": {"base64": "AAAA", "subType": "00"}}}', "/$bson"),
        (b'{"$bson": {"$binary": {"base64": "BQAAAAA=", "subType": "05"}}}', "/$bson"),
        (b'{"$bson": {"$binary": {"base64": "BQAAAAA=", "subType": "00"}}, "a": 1}', "/$bson"),
    ],
)
def test_what_json_refuses_is_refused(body: bytes, pointer: str) -> None:
    with pytest.raises(InvalidDocument) as raised:
        restored(body)
    assert raised.value.pointer == pointer
    with pytest.raises(MalformedJSON):
        restored(b'{"a": NaN}')
