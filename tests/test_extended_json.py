"""Extended JSON loses nothing: what is written is read as the same bytes, whatever the type."""

import base64
import json
import math
import struct
import time
from typing import Any

import bson
import pytest
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
    json_util,
)
from bson.codec_options import DatetimeConversion
from hypothesis import given
from hypothesis import strategies as st

from service.documents import extended_json, layout
from service.documents.layout import Metadata
from service.errors import InvalidDocument
from tests.support.bson_values import DEPRECATED, VALUES, whole
from tests.support.extended import restored
from tests.support.patience import patient

MIB = 1024 * 1024
text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
keys = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=3)
odd_keys = st.sampled_from(
    ["$ref", "$id", "$db", "$regex", "$options", "$scope", "$type", "a.b", "", "_id", "_stuff"]
)
looks_extended = st.sampled_from(
    ["$date", "$oid", "$numberInt", "$code", "$binary", "$bson", "$uuid", "$undefined", "$minKey"]
)
int64s = st.integers(-(2**63), 2**63 - 1)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**31), 2**31 - 1)
    | int64s.map(Int64)
    | st.floats()
    | st.binary(min_size=16, max_size=16).map(Decimal128.from_bid)
    | st.decimals(allow_nan=False, places=3).map(lambda number: Decimal128(str(number)[:30]))
    | int64s.map(DatetimeMS)
    | st.binary(min_size=12, max_size=12).map(ObjectId)
    | st.binary(max_size=5)
    | st.builds(Binary, st.binary(max_size=20), st.integers(0, 255))
    | st.builds(
        Regex,
        text.filter(lambda pattern: "\0" not in pattern),
        st.sets(st.sampled_from("ilmsux")).map(lambda letters: "".join(sorted(letters))),
    )
    | st.builds(Timestamp, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
    | st.sampled_from([MinKey(), MaxKey()])
    | text
    | text.map(Code)
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(keys | odd_keys | looks_extended, inner, max_size=4)
        | st.dictionaries(keys | odd_keys, inner, max_size=4)
        | st.builds(Code, text, st.dictionaries(keys, inner, max_size=2))
    ),
    max_leaves=15,
)


def is_raw(written: bytes) -> bool:
    return list(json.loads(written)) == ["$bson"]


@given(values)
def test_a_value_of_any_type_comes_back_as_the_same_bytes(value: Any) -> None:
    document = bson.encode({"_id": 1, "value": value})
    assert restored(extended_json.dumps(document)) == document


@pytest.mark.parametrize("name", VALUES)
def test_every_type_is_written_as_the_driver_writes_it(name: str) -> None:
    document = bson.encode({"_id": 1, "value": VALUES[name]})
    written = json.loads(extended_json.dumps(document))
    options = json_util.CANONICAL_JSON_OPTIONS.with_options(
        datetime_conversion=DatetimeConversion.DATETIME_MS
    )
    decoded = bson.decode(document, layout.DECODE_OPTIONS)
    assert written == json.loads(json_util.dumps(decoded, json_options=options))
    assert restored(extended_json.dumps(document)) == document


@pytest.mark.parametrize("number", [0.0, -0.0, math.nan, math.inf, -math.inf, 5e-324, 1e308, 1.0])
def test_every_float_keeps_its_bits(number: float) -> None:
    document = bson.encode({"n": number})
    written = extended_json.dumps(document)
    assert not is_raw(written)
    assert restored(written) == document


@pytest.mark.parametrize(
    "number",
    ["0", "-0", "1.50", "0E+6111", "0E-6176", "9" * 34, "1E-6176", "9.99E+6144", "-1E+6111",
     "NaN", "Infinity", "-Infinity", "1E+6144"],
)  # fmt: skip
def test_every_decimal_keeps_its_bits(number: str) -> None:
    document = bson.encode({"n": Decimal128(number)})
    written = extended_json.dumps(document)
    assert not is_raw(written)
    assert restored(written) == document
    [shown] = json.loads(written)["n"].values()
    assert Decimal128(shown) == Decimal128(number)


UNWRITABLE = {
    "an object that looks like a date": bson.encode({"_id": 1, "a": [{"$date": "x"}]}),
    "an object that looks like a number, among others": bson.encode(
        {"_id": 1, "a": {"b": 1, "$numberInt": "1"}}
    ),
    "a scope that looks like an id": bson.encode({"a": Code("f", {"$oid": "a" * 24})}),
    "an id that looks like an ObjectId": bson.encode({"_id": {"$oid": "a" * 24}}),
    "a NaN with a payload": whole(b"\x01k\0" + struct.pack("<Q", 0x7FF8000000000001)),
    "a decimal that is not canonical": bson.encode(
        {"d": Decimal128.from_bid(b"\xff" * 8 + b"\xff\xff\xff\xff\xff\xff\x11\x30")}
    ),
}
REFUSED = {
    "a top-level key": bson.encode({"_id": 1, "$date": 1}),
    "text that is not UTF-8": whole(b"\x02k\0\x03\0\0\0a\xff\0"),
    "a key that is not UTF-8": whole(b"\x10\xff\0\1\0\0\0"),
    "repeated keys": whole(b"\x10k\0\1\0\0\0\x10k\0\2\0\0\0"),
    "an array with other keys": whole(b"\x04k\0" + whole(b"\x10x\0\1\0\0\0")),
} | {name: whole(element) for name, element in DEPRECATED.items()}


@pytest.mark.parametrize("document", UNWRITABLE.values(), ids=UNWRITABLE)
def test_what_extended_json_cannot_tell_is_written_as_its_bson(document: bytes) -> None:
    written = extended_json.dumps(document)
    assert is_raw(written)
    assert restored(written) == document


@pytest.mark.parametrize("document", REFUSED.values(), ids=REFUSED)
def test_what_the_driver_cannot_hold_is_written_as_its_bson_and_not_stored(document: bytes) -> None:
    written = extended_json.dumps(document)
    assert is_raw(written)
    assert base64.b64decode(json.loads(written)["$bson"]["$binary"]["base64"]) == document
    with pytest.raises(InvalidDocument) as raised:
        restored(written)
    assert raised.value.pointer == "/$bson"


def test_of_a_document_that_is_written_as_its_bson_only_the_view_is_shown() -> None:
    odd = whole(b"\x10_id\0\1\0\0\0\x02a\0\x02\0\0\0\xff\0\x10b\0\2\0\0\0")
    written = extended_json.dumps(odd, pick=lambda whole: {"b": whole["b"]})
    assert restored(written) == bson.encode({"b": 2})


def test_the_metadata_is_shown_as_in_json_and_is_no_part_of_the_document() -> None:
    metadata = Metadata("tag", None)
    for document in ({"_id": "a", "x": 1}, {"_id": "a", "x": {"$oid": 1}}):
        stored = bson.encode(document | {"_stuff": {"etag": "tag"}})
        assert restored(extended_json.dumps(stored)) == bson.encode(document)
        shown = json.loads(extended_json.dumps(stored, metadata))
        assert shown.pop("_stuff") == {"etag": "tag"}
        assert restored(json.dumps(shown).encode()) == bson.encode(document)


def nested(levels: int, value: Any, *, scopes: bool = False) -> Any:
    for level in range(levels):
        value = Code("f", {"a": value}) if scopes else ({"a": value} if level % 2 else [value])
    return value


@pytest.mark.parametrize("value", [Binary(b"", 5), Regex("a"), 1, {}, Code("f"), DatetimeMS(1)])
def test_a_hundred_levels_come_back_whatever_is_in_the_last_one(value: Any) -> None:
    extra = isinstance(value, dict)
    document = bson.encode({"a": nested(99 - extra, value)})
    assert restored(extended_json.dumps(document)) == document
    for deep in (nested(100 - extra, value), nested(98, Code("f", {"a": [value]}))):
        with pytest.raises(InvalidDocument, match="100 levels"):
            restored(extended_json.dumps(bson.encode({"a": deep})))
    hidden = bson.encode({"a": nested(100, {"$oid": 1})})
    with pytest.raises(InvalidDocument, match="100 levels"):
        restored(extended_json.dumps(hidden))


@pytest.mark.parametrize(
    "token",
    [b"0,", b"{},", b"[0],", b'{"":{}},', b'{"$numberInt":"1"},', b'{"$numberDecimal":"1E6112"},',
     b'{"$date":"2026-01-01T00:00:00Z"},', b'{"$code":"","$scope":{}},'],
)  # fmt: skip
def test_a_hostile_body_is_read_in_short_slices(token: bytes) -> None:
    body = b'{"a":[' + token * (MIB // len(token)) + b"0]}"
    steps = extended_json.loads(body)
    next(steps)  # parsing it as JSON, which has a test of its own
    longest = 0.0
    while True:
        start = time.process_time()
        try:
            next(steps)
        except StopIteration:
            break
        finally:
            longest = max(longest, time.process_time() - start)
    assert longest < patient(0.5)
