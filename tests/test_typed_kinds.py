"""The canonical strings of `x-bson`: nothing is lost between them and BSON."""

import base64
import struct
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import bson
import orjson
import pytest
from bson import Binary, DatetimeMS, Decimal128, ObjectId
from hypothesis import given
from hypothesis import strategies as st

from service.documents import codec
from service.documents.typed import Types
from service.documents.typed.kinds import KINDS
from service.documents.typed.tree import Node

UUIDS = st.uuids().map(lambda each: Binary(each.bytes, 4))
OBJECT_IDS = st.binary(min_size=12, max_size=12).map(ObjectId)
DECIMALS = st.builds(
    lambda low, high: Decimal128.from_bid(struct.pack("<QQ", low, high)),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**64 - 1) | st.integers(0x2F00, 0x3100).map(lambda each: each << 49),
)
DATES = st.integers(-(2**47), 2**48).map(DatetimeMS)
VALUES = {
    "date": DATES,
    "objectid": OBJECT_IDS,
    "decimal": DECIMALS,
    "binary": st.binary(max_size=50),
    "uuid": UUIDS,
}


def types_of(kind: str) -> Types:
    return Types(Node(members={"v": Node(KINDS[kind])}))


def shown(kind: str, value: Any) -> Any:
    """What a client reads."""
    document = bson.encode({"v": value})
    return orjson.loads(codec.dumps(document, show=types_of(kind).show_at_once))["v"]


def stored(kind: str, text: str) -> bytes:
    """The document when the text is sent."""
    document = {"v": text}
    assert list(types_of(kind).store(document)) == []
    return bson.encode(document)


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_what_is_read_is_stored_as_the_same_bytes(kind: str, data: st.DataObject) -> None:
    value = data.draw(VALUES[kind])
    text = shown(kind, value)
    if isinstance(text, str):
        assert stored(kind, text) == bson.encode({"v": value})
        assert KINDS[kind].canonical(text) == text
    else:
        assert text == orjson.loads(codec.dumps(bson.encode({"v": value})))["v"]


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_all_dates_of_four_digits_have_a_string(milliseconds: int) -> None:
    text = shown("date", DatetimeMS(milliseconds))
    moment = datetime.fromisoformat(text)
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1) == milliseconds
    assert (len(text), text[-1]) == (24, "Z")


@given(
    st.datetimes(
        datetime(1, 1, 3),  # noqa: DTZ001
        datetime(9999, 12, 29),  # noqa: DTZ001
        timezones=st.integers(-1439, 1439).map(lambda each: timezone(timedelta(minutes=each))),
    )
)
def test_dates_are_normalised_to_milliseconds_in_utc(moment: datetime) -> None:
    text = KINDS["date"].canonical(moment.isoformat())
    utc = moment.astimezone(UTC)
    assert text == utc.isoformat(timespec="milliseconds").replace("+00:00", "Z")


@pytest.mark.parametrize("milliseconds", [-62_135_596_800_001, 253_402_300_800_000, 2**63 - 1])
def test_dates_of_other_years_are_extended_json(milliseconds: int) -> None:
    value = shown("date", DatetimeMS(milliseconds))
    assert value == {"$date": {"$numberLong": str(milliseconds)}}


@given(st.decimals(allow_nan=False, places=4, min_value=-(10**20), max_value=10**20))
def test_decimals_keep_all_their_digits(number: Any) -> None:
    assert KINDS["decimal"].canonical(str(number)) == str(number)


@given(st.binary())
def test_binary_data_is_base64(data: bytes) -> None:
    assert KINDS["binary"].read(base64.b64encode(data).decode()) == data


@given(st.uuids())
def test_uuids_are_those_of_other_drivers(uuid: UUID) -> None:
    value = KINDS["uuid"].read(str(uuid).upper())
    assert (value.subtype, bytes(value)) == (4, uuid.bytes)


@given(st.text(max_size=40))
def test_any_text_is_read_as_a_value_or_refused(text: str) -> None:
    for kind in KINDS.values():
        try:
            canonical = kind.canonical(text)
        except ValueError:
            continue
        assert kind.canonical(canonical) == canonical
