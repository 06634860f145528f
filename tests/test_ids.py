"""Ids of each type: their canonical strings, their order, and by what documents are told apart."""

import operator
from collections.abc import Callable
from typing import Any

import bson
import pytest
from bson import Binary, Code, Decimal128, Int64, ObjectId
from hypothesis import given
from hypothesis import strategies as st

from service.documents import layout
from service.documents.ids import TYPES, canonical, key_in, key_of
from service.documents.ids.sequences import HexText
from service.documents.query.values import comparable
from service.errors import InvalidDocument, InvalidId
from tests.support.ids import Typed, each_type

OBJECT_IDS, UUIDS = TYPES["objectid"], TYPES["uuid"]
TEXTS = {
    "objectid": st.binary(min_size=12, max_size=12).map(bytes.hex),
    "uuid": st.uuids().map(str),
    "integer": st.integers(-(2**63), 2**63 - 1).map(str),
    "string": st.text("aä/\U0010ffff", min_size=1, max_size=100),
}


@pytest.mark.parametrize("name", TEXTS)
@given(data=st.data())
def test_an_id_and_its_canonical_string_lead_to_each_other(name: str, data: st.DataObject) -> None:
    ids, text = TYPES[name], data.draw(TEXTS[name])
    id = ids.parse(text)
    assert canonical(id) == text
    element = layout.id_element(id)
    stored: Any = bson.decode(layout.whole(element))["_id"]
    assert ids.owns(stored)
    assert canonical(stored) == text
    assert key_of(element) == key_in(layout.whole(element)) == id


@each_type
def test_other_strings_are_none(typed: Typed) -> None:
    for other in (*typed.others, "", f"{typed.texts[0]}\n", "\ud800"):
        with pytest.raises(InvalidId):
            TYPES[typed.name].parse(other)


@pytest.mark.parametrize("name", ["objectid", "uuid", "string"])
def test_new_ids_are_distinct_and_of_the_type(name: str) -> None:
    ids = TYPES[name]
    made = [ids.new() for _ in range(100)]
    assert len({canonical(id) for id in made}) == len(made)
    assert [ids.parse(canonical(id)) for id in made] == made


def test_nobody_makes_integers() -> None:
    with pytest.raises(InvalidDocument):
        TYPES["integer"].new()


def test_ids_of_other_types_are_told_from_those_of_the_type() -> None:
    others = {
        "objectid": ["a" * 24, b"a" * 12, 7],
        "uuid": ["a", b"a" * 16, Binary(b"a" * 16, 3), Binary(b"a" * 15, 4), ObjectId()],
        "integer": ["7", True, 7.0, Decimal128("7"), None],
        "string": [Code("a"), ObjectId(), 7, None],
    }
    for name, values in others.items():
        for value in values:
            assert not TYPES[name].owns(value), (name, value)


NUMBERS = [1, Int64(1), 1.0, Decimal128("1"), Decimal128("1.00")]
OTHERS = [
    True, "1", b"1", Binary(b"1", 0), Binary(b"1", 4), Binary(b"1", 5), ObjectId(b"1" * 12),
    b"1" * 12, "1" * 12, None, {"a": 1}, {"a": True}, 2, 0.5, False, 0,
]  # fmt: skip


@given(st.sampled_from(NUMBERS + OTHERS), st.sampled_from(NUMBERS + OTHERS))
def test_keys_are_equal_exactly_if_the_ids_are_for_the_database(one: Any, other: Any) -> None:
    keys = key_of(layout.id_element(one)), key_of(layout.id_element(other))
    assert (keys[0] == keys[1]) == (comparable(one) == comparable(other))
    assert keys[0] != keys[1] or hash(keys[0]) == hash(keys[1])


@pytest.mark.parametrize("texts", [HexText("000"), HexText("0-0")], ids=["digits", "hyphen"])
@given(text=st.text("0129af-:AFgz~", max_size=5))
def test_the_first_string_after_a_text_is_found(texts: HexText, text: str) -> None:
    digits = "0123456789abcdef"
    middle = digits if texts.first == "000" else "-"
    strings = [a + b + c for a in digits for b in middle for c in digits]
    assert texts.has(text) == (text in strings)
    if text not in strings:
        after = [each for each in strings if each > text]
        assert texts.least_after(text) == min(after, default=None)


@pytest.mark.parametrize("ids", [OBJECT_IDS, UUIDS], ids=["objectid", "uuid"])
@given(data=st.data())
def test_bounds_that_are_no_ids_select_what_they_would_select_among_strings(
    ids: Any, data: st.DataObject
) -> None:
    compare: dict[str, Callable[[Any, Any], bool]]
    compare = {"$gt": operator.gt, "$gte": operator.ge, "$lt": operator.lt, "$lte": operator.le}
    text, stored = data.draw(TEXTS[ids.name]), data.draw(TEXTS[ids.name])
    bound = text[: data.draw(st.integers(0, len(text)))] + data.draw(st.text("0f-gF~", max_size=2))
    for name, holds in compare.items():
        new, id = ids.bound(name, bound)
        assert compare[new](ids.parse(stored), id) == holds(stored, bound), (name, bound)
