"""Which update operators are refused before the database sees them, and where the fault is."""

import json
import time
from contextlib import suppress
from typing import Any

import bson
import pytest

from service.documents.json_faults import MAX_DEPTH
from service.documents.metadata import WithMetadata
from service.documents.updates import Update
from service.errors import DocumentTooLarge, InvalidDocument, InvalidPatch
from tests.support.patience import patient
from tests.support.problems import is_sentence

MIB = 1024 * 1024


def deep(levels: int) -> Any:
    value: Any = 1
    for level in range(levels):
        value = [value] if level % 2 else {"a": value}
    return value


def path(steps: int) -> str:
    return ".".join("a" * steps)


def parse(patch: Any) -> Update:
    return Update(json.dumps(patch).encode())


REFUSED: list[tuple[Any, str]] = [
    # Not operators
    ({}, ""),
    ([], ""),
    ("$inc", ""),
    ({"a": 1}, "/a"),
    ({"$set": {"a": 1}, "b": 2}, "/b"),
    ({"$set": {}}, "/$set"),
    ({"$set": 1}, "/$set"),
    ({"$set": [{"a": 1}]}, "/$set"),
    *[
        ({operator: {"a": 1}}, f"/{operator}")
        for operator in (
            "$rename", "$setOnInsert", "$currentDate", "$bit", "$pushAll", "$pullAll", "$isolated",
            "$replaceWith", "$where", "$SET", "set", "$",
        )
    ],
    # Paths
    *[
        ({"$set": {name: 1}}, f"/$set/{name}")
        for name in (
            "_id", "_id.a", "_stuff", "_stuff.etag", "_stuff.updated_at", "", ".", "a.", ".a",
            "a..b", "$a", "a.$", "a.$.b", "a.$[]", "a.$[x].b", "a.10000", "a.10000.b",
            "a.123456789", "10000", "a.0010000", "a.²", "a.٣",
        )
    ],
    ({"$unset": {"_stuff": ""}}, "/$unset/_stuff"),
    ({"$pull": {"_id": 1}}, "/$pull/_id"),
    # Conflicts
    ({"$set": {"a": 1}, "$inc": {"a": 1}}, "/$inc/a"),
    ({"$set": {"a": 1}, "$inc": {"a.b": 1}}, "/$inc/a.b"),
    ({"$set": {"a.b.c": 1}, "$unset": {"a": ""}}, "/$set/a.b.c"),
    ({"$set": {"a": 1, "a-b": 1, "a.b": 1}}, "/$set/a.b"),
    ({"$push": {"a.0": 1}, "$pop": {"a": 1}}, "/$push/a.0"),
    # Values
    ({"$set": {"a": {"$b": 1}}}, "/$set/a/$b"),
    ({"$set": {"a": {"$date": "2026-01-01T00:00:00Z"}}}, "/$set/a/$date"),
    ({"$set": {"a": [{"b": {"$c": 1}}]}}, "/$set/a/0/b/$c"),
    ({"$set": {"a": ["$", {"\\": '":', "$": 1}]}}, "/$set/a/1/$"),
    ({"$min": {"a": {"$b": 1}}}, "/$min/a/$b"),
    ({"$push": {"a": {"b": {"$c": 1}}}}, "/$push/a/$each/0/b/$c"),
    ({"$push": {"a": {"$each": [1, {"$c": 1}]}}}, "/$push/a/$each/1/$c"),
    ({"$addToSet": {"a": {"$each": [{"$c": 1}]}}}, "/$addToSet/a/$each/0/$c"),
    # Depth
    ({"$set": {path(MAX_DEPTH + 1): 1}}, f"/$set/{path(MAX_DEPTH + 1)}"),
    ({"$set": {path(MAX_DEPTH): []}}, f"/$set/{path(MAX_DEPTH)}"),
    ({"$set": {"a.b": deep(MAX_DEPTH - 1)}}, "/$set/a.b"),
    ({"$max": {"a": deep(MAX_DEPTH)}}, "/$max/a"),
    ({"$push": {"a": deep(MAX_DEPTH - 1)}}, "/$push/a/$each"),
    ({"$push": {path(MAX_DEPTH): 1}}, f"/$push/{path(MAX_DEPTH)}/$each"),
    ({"$addToSet": {"a.b": {"$each": [deep(MAX_DEPTH - 2)]}}}, "/$addToSet/a.b/$each"),
    # Operands
    *[({"$inc": {"a": value}}, "/$inc/a") for value in ("1", None, True, [1], {"$each": [1]})],
    ({"$mul": {"a": "2"}}, "/$mul/a"),
    *[({"$pop": {"a": value}}, "/$pop/a") for value in (0, 2, True, "1", None, [1])],
    ({"$push": {"a": {"$each": 1}}}, "/$push/a/$each"),
    ({"$push": {"a": {"$slice": 1}}}, "/$push/a/$each"),
    ({"$push": {"a": {"$each": [], "$where": 1}}}, "/$push/a/$where"),
    ({"$push": {"a": {"$each": [], "b": 1}}}, "/$push/a/b"),
    ({"$push": {"a": {"$each": [], "$slice": 1.5}}}, "/$push/a/$slice"),
    ({"$push": {"a": {"$each": [], "$slice": True}}}, "/$push/a/$slice"),
    ({"$push": {"a": {"$each": [], "$position": 2**31}}}, "/$push/a/$position"),
    ({"$push": {"a": {"$each": [], "$sort": 2}}}, "/$push/a/$sort"),
    ({"$push": {"a": {"$each": [], "$sort": {}}}}, "/$push/a/$sort"),
    ({"$push": {"a": {"$each": [], "$sort": {"b": "up"}}}}, "/$push/a/$sort"),
    ({"$push": {"a": {"$each": [], "$sort": {"b.$": 1}}}}, "/$push/a/$sort/b.$"),
    (
        {"$push": {"a": {"$each": [], "$sort": {f"b{n}": 1 for n in range(9)}}}},
        "/$push/a/$sort",
    ),
    ({"$addToSet": {"a": {"$each": [], "$slice": 1}}}, "/$addToSet/a/$slice"),
    # Conditions
    ({"$pull": {"a": {"$where": "1"}}}, "/$pull/a/$where"),
    ({"$pull": {"a": {"b": {"$function": 1}}}}, "/$pull/a/b/$function"),
    ({"$pull": {"a": {"$in": 1}}}, "/$pull/a/$in"),
    ({"$pull": {"a": {"$regex": "(a+)+"}}}, "/$pull/a/$regex"),
    ({"$pull": {"a": {"b": {"$regex": "(a|b)*"}}}}, "/$pull/a/b/$regex"),
    ({"$pull": {"a": {"$oid": "x"}}}, "/$pull/a"),
    ({"$pull": {"a": {"²": 1}}}, "/$pull/a/²"),
    # How much
    ({"$set": {f"a{n}": 1 for n in range(1001)}}, "/$set"),
    ({"$set": {f"a{n}": 1 for n in range(600)}, "$inc": {f"b{n}": 1 for n in range(401)}}, "/$inc"),
    ({"$addToSet": {"a": {"$each": list(range(101))}}}, "/$addToSet/a"),
    ({"$pull": {"a": {"$in": list(range(101))}}}, "/$pull"),
    ({"$pull": {f"a{n}": {"$gt": n} for n in range(101)}}, "/$pull"),
    ({"$pull": {"a": "x" * 70_000}}, "/$pull"),
]  # fmt: skip


@pytest.mark.parametrize(("patch", "pointer"), REFUSED)
def test_what_is_not_allowed_is_named_with_its_place(patch: Any, pointer: str) -> None:
    with pytest.raises(InvalidPatch) as error:
        parse(patch)
    assert error.value.pointer == pointer
    assert is_sentence(error.value.detail)
    assert len(error.value.detail) < 500


@pytest.mark.parametrize("name", ["$rename", "$where", "$[x]"])
def test_the_refusal_says_what_is_allowed(name: str) -> None:
    with pytest.raises(InvalidPatch) as error:
        parse({name: {"a": 1}})
    assert repr(name) in error.value.detail
    assert "$set, $unset, $inc, $mul, $min, $max, $push, $addToSet" in error.value.detail


ALLOWED: list[Any] = [
    {"$set": {path(MAX_DEPTH): 1}},
    {"$set": {path(MAX_DEPTH - 1): [1]}},
    {"$set": {"a.b": deep(MAX_DEPTH - 2)}},
    {"$push": {"a": deep(MAX_DEPTH - 2)}},
    {"$push": {path(MAX_DEPTH - 1): {"$each": [1]}}},
    {"$set": {"a.9999": 1, "a.b": {"10000": {"a.b": {"": "$x"}}}, "a$b": "$", "0": 1, "ab": 2}},
    {"$set": {"_ids": 1, "_stuffed.a": 1, "a._id": 1, "a._stuff": 1, "a.00012": 1}},
    {"$push": {"a": {"$each": [], "$sort": {"b.c": -1}, "$slice": -5, "$position": 0}}},
    {"$pull": {"a": {"$or": [{"b": 1}, {"c": {"$in": [1, 2]}}]}, "b": {"$gte": 5}, "c": [1, 2]}},
    {"$pull": {"a": "1,2,3" * 100}},
    {"$unset": {"a": {"$whatever": 1}}},
]


@pytest.mark.parametrize("patch", ALLOWED)
def test_what_a_put_could_store_is_allowed(patch: Any) -> None:
    assert parse(patch).size > 0


def test_a_value_is_encoded_as_a_put_would_encode_it() -> None:
    values = {"int": 1, "long": 2**40, "float": 1.0, "text": "ä", "o": {"b": 1, "a": [None, True]}}
    update = parse({"$set": values, "$push": {"p": {"x": 1}}, "$unset": {"u": 5}})
    encoded: dict[str, Any] = bson.decode(update.encoded(WithMetadata().mark()))
    assert encoded["$push"] == {"p": {"$each": [{"x": 1}]}}
    assert encoded["$unset"] == {"u": ""}
    assert encoded["$set"].pop("_stuff").keys() == {"updated_at"}
    assert bson.encode(encoded["$set"]) == bson.encode(values)
    assert isinstance(encoded["$set"]["float"], float)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"$set": {"a": 1, "a": 2}}', "/$set/a"),
        (b'{"$inc": {"a": 9223372036854775808}}', "/$inc/a"),
        (b'{"$set": {"a\\u0000": 1}}', "/$set/a\0"),
        (b'{"$set": {"a": %s}}' % (b"[" * 200 + b"]" * 200), "/$set/a" + "/0" * 100),
    ],
)
def test_what_no_document_may_contain_is_refused(body: bytes, pointer: str) -> None:
    with pytest.raises(InvalidDocument) as error:
        Update(body)
    assert error.value.pointer == pointer


def test_operators_that_no_command_can_hold_are_refused() -> None:
    with pytest.raises(DocumentTooLarge):
        parse({"$set": {"a": ["x" * MIB] * 16}})
    assert parse({"$set": {"a": ["x" * MIB] * 15}}).size > 15 * MIB


HOSTILE: dict[str, Any] = {
    "many deep paths": {"$set": {f"{'a.' * 98}b{n}": 1 for n in range(1000)}},
    "many deep paths of numbers": {"$set": {f"{'9999.' * 98}b{n}": 1 for n in range(1000)}},
    "long paths that begin alike": {
        "$set": {f"{'a' * 100}.{'a' * 1000}.b{n}": 1 for n in range(1000)}
    },
    "too many paths": {"$set": {f"a{n}": 1 for n in range(200_000)}},
    "a path of dots": {"$set": {"." * MIB: 1}},
    "a path of digits": {"$set": {"1" * MIB: 1}},
    "a sort by dots": {"$push": {"a": {"$each": [], "$sort": {"." * MIB: 1}}}},
    "a sort by many fields": {
        "$push": {"a": {"$each": [], "$sort": {f"a{n}": 1 for n in range(100_000)}}}
    },
    "many modifiers": {"$push": {"a": {"$each": []} | {f"$a{n}": 1 for n in range(100_000)}}},
    "many texts like keys": {"$set": {"a": ["$"] * 300_000}},
    "a key after many texts": {"$set": {"a": [*["$"] * 300_000, {"$": 1}]}},
    "many small values": {"$push": {"a": {"$each": [[]] * 300_000}}},
    "many conditions": {"$pull": {f"a{n}": {"$gt": n} for n in range(50_000)}},
    "a long condition": {"$pull": {"a": {"$in": list(range(200_000))}}},
    "many patterns": {"$pull": {f"a{n}": {"$regex": "x" * 400 + "a+b+"} for n in range(99)}},
}


@pytest.mark.parametrize("patch", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_patch_takes_no_longer_than_its_bytes_justify(patch: Any) -> None:
    body = json.dumps(patch).encode()
    start = time.process_time()
    with suppress(InvalidPatch):
        Update(body).check_steps()
    assert time.process_time() - start < patient(0.05 + 0.04 * len(body) / MIB) * 2
