"""BSON of any kind, also what the embedded engine would not store."""

import json
from collections.abc import Generator
from datetime import UTC
from typing import Any

import bson
import pytest

from service.documents import codec, layout
from service.documents.ids import key_in
from service.documents.metadata import WithMetadata
from tests.support.bson_values import DEPRECATED, NOW, VALUES, whole


def elements(document: dict[str, Any]) -> bytes:
    return bson.encode(document)[4:-1]


@pytest.mark.parametrize("position", [0, 1, 2])
def test_the_tag_is_of_the_fields_wherever_the_rest_stands(position: int) -> None:
    fields = [elements({name: value}) for name, value in VALUES.items()] + [*DEPRECATED.values()]
    tag = layout.entity_tag(whole(b"".join(fields)))
    rest = [elements({"_stuff": {"etag": tag, "updated_at": NOW}}), elements({"_id": 1})]
    middle = len(fields) // 2
    first, second = [(0, 0), (len(fields), 0), (middle, middle)][position]
    fields.insert(first, rest[0])
    fields.insert(second, rest[1])
    stored = layout.read(whole(b"".join(fields)))
    assert stored.etag == tag
    assert stored.updated_at == NOW


def test_everything_can_be_shown() -> None:
    document = whole(b"".join([elements({"_id": 1, **VALUES})]))
    shown = json.loads(codec.dumps(document))
    assert list(shown) == ["_id", *VALUES]
    assert shown["far date"] == {"$date": {"$numberLong": "1000000000000000"}}
    for element in DEPRECATED.values():
        assert "k" in json.loads(codec.dumps(whole(element)))


def test_text_that_is_not_utf8_is_shown_as_far_as_possible() -> None:
    document = whole(b"\x02k\0\x03\0\0\0a\xff\0")
    assert json.loads(codec.dumps(document)) == {"k": "a\ufffd"}


def test_a_document_of_ours_is_read_the_same_way_as_any_other() -> None:
    fields = bson.encode({"text": "é", "_stuff ": [1]})
    document = layout.assemble(layout.id_element("ü"), fields, layout.entity_tag(fields), NOW)
    stored = layout.read(document)
    assert (stored.etag, stored.updated_at) == (layout.entity_tag(fields), NOW)
    moved = whole(b"\x10x\0\x01\0\0\0" + document[4:-1])  # the _id is not the first element
    assert key_in(moved) == key_in(document) == "ü"
    changed = document.replace("é".encode(), b"ee")
    assert layout.read(changed).updated_at is None
    absurd = document[:-10] + b"\xff" * 7 + b"\x7f\0\0"
    assert (layout.read(absurd).etag, layout.read(absurd).updated_at) == (stored.etag, None)


def test_a_document_that_is_read_is_assembled_again_byte_by_byte() -> None:
    fields = bson.encode({name: value for name, value in VALUES.items() if name != "far date"})
    document = layout.assemble(layout.id_element("a"), fields, layout.entity_tag(fields), NOW)
    assert bson.decode(document)["_id"] == "a"
    stored = layout.read(document)
    assert stored.metadata == layout.Metadata(layout.entity_tag(fields), NOW)
    values = codec.decode(document)
    del values["_id"], values["_stuff"]
    assert layout.encode_fields(values) == fields
    shown = {
        name: codec.Foreign(value) if codec.is_foreign(value) else value
        for name, value in values.items()
    }
    assert sum(isinstance(value, codec.Foreign) for value in shown.values()) > 5
    assert layout.encode_fields(finish(codec.restored(finish(codec.copied(shown))))) == fields
    assert isinstance(shown["date"], codec.Foreign)


def finish(work: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.mark.parametrize("id", ["a", "ä" * 200])
@pytest.mark.parametrize("fields", [{}, {"x": 1, "y": {"z": [1, "ü"]}}])
def test_what_the_service_wrote_is_recognised_without_a_walk(
    id: str, fields: dict[str, Any]
) -> None:
    document = WithMetadata().new(layout.id_element(id), layout.encode_fields(fields)).bson
    recognised = layout._read_own(document)
    assert recognised is not None
    assert recognised == layout._read_any(document)
    assert recognised.updated_at is not None
    assert key_in(document) == id


def test_a_document_that_only_looks_like_ours_is_not_taken_for_it() -> None:
    document = (
        WithMetadata()
        .new(layout.id_element("ada"), layout.encode_fields({"x": 1, "name": "Ada"}))
        .bson
    )
    recognised = 0
    for place in range(4, len(document) - 2):
        changed = bytearray(document)
        changed[place] ^= 1
        quick = layout._read_own(bytes(changed))
        if quick is not None:  # another id, or another time
            assert quick == layout._read_any(bytes(changed))
            recognised += 1
    assert recognised == len("ada") + 7  # beyond all years is none
    for size in range(5, len(document)):
        assert layout._read_own(document[-size:]) is None


def test_metadata_counts_wherever_it_stands_and_only_if_it_is_whole() -> None:
    own = WithMetadata().new(layout.id_element("a"), layout.encode_fields({"x": 1}))
    stuff = {"etag": own.etag, "updated_at": NOW}
    first = layout.read(bson.encode({"_stuff": stuff, "_id": "a", "x": 1}))
    assert (first.etag, first.updated_at) == (own.etag, NOW)
    assert first.metadata == layout.Metadata(own.etag, NOW)
    assert first.updated_at is not None
    assert first.updated_at.tzinfo is UTC
    for odd in ({"etag": own.etag}, {"updated_at": NOW}, {"etag": 1, "updated_at": NOW}, 7):
        document = bson.encode({"_id": "a", "x": 1, "_stuff": odd})
        assert layout.read(document).updated_at is None
        assert layout.read_view(document, "x").metadata is None
    view = layout.read_view(bson.encode({"_id": "a", "_stuff": stuff}), "x")
    assert view.metadata == layout.Metadata(own.etag, NOW)


@pytest.mark.parametrize(
    "others",
    [
        (b"\x06k\0", b"\x0ak\0"),  # undefined and null
        (b"\x0ek\0\x02\0\0\0s\0", b"\x02k\0\x02\0\0\0s\0"),  # a symbol and a string
        (b"\x02k\0\x03\0\0\0a\xff\0", b"\x02k\0\x03\0\0\0a\xfe\0"),  # both are no UTF-8
        (b"\x10k\0\1\0\0\0\x10k\0\2\0\0\0", b"\x10k\0\3\0\0\0\x10k\0\2\0\0\0"),  # repeated keys
        (b"\x0bk\0a\0i\0", b"\x0bk\0a\0m\0"),  # regular expressions
    ],
)
def test_documents_that_differ_have_different_tags(others: tuple[bytes, bytes]) -> None:
    """Also where decoding and encoding again would make them the same."""
    tags = {layout.read(whole(content)).etag for content in others}
    assert len(tags) == 2
