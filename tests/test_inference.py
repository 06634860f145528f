"""What is inferred from documents: all of them fit it, and it says what they prove."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import bson
import pytest
from bson import Binary, DatetimeMS, DBRef, Decimal128, Int64, MinKey, ObjectId, Regex, Timestamp
from hypothesis import given
from hypothesis import strategies as st

from service.declarations.schemas import read_schema
from service.documents.inference import Inferred, infer

DATE = {"type": "string", "format": "date-time", "x-bson": "date"}
NOON = datetime(2026, 1, 1, 12)  # noqa: DTZ001
UUID4 = Binary(UUID(int=1).bytes, 4)
NAMES = st.sampled_from(["a", "b", "c.d", "$e", "", "7", "65f0c0ffee65f0c0ffee65f0", "\n"])
SCALARS = st.sampled_from(
    [
        None, True, 0, 1, 2.5, 1.0, -(2**63), "", "a", "2026-01-01T00:00:00Z", float("inf"), NOON,
        ObjectId(), Decimal128("1.50"), Decimal128("NaN"), b"x", UUID4, Binary(b"x", 5), Regex("a"),
        DatetimeMS(-(10**15)), Timestamp(1, 2), {"$date": 1}, {"$oid": "a"},
    ]
)  # fmt: skip
VALUES = st.recursive(
    SCALARS, lambda some: st.lists(some, max_size=4) | st.dictionaries(NAMES, some, max_size=5)
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=6)


def inferred(*documents: dict[str, Any]) -> Inferred:
    return infer(bson.encode({"_id": n} | each) for n, each in enumerate(documents))


def schema(*documents: dict[str, Any]) -> Any:
    return inferred(*documents).schema


def details(found: Inferred) -> dict[str, str]:
    return {"/".join(doubt.place): doubt.detail for doubt in found.doubts}


def of_values(values: Iterable[Any]) -> Any:
    return schema(*({"a": value} for value in values))["properties"]["a"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, False], {"type": "boolean"}),
        ([1, Int64(2)], {"type": "integer"}),
        ([1.0, 2.5], {"type": "number"}),
        ([1, 2.5], {"type": "number"}),
        (["a"], {"type": "string"}),
        (["a", None], {"type": ["string", "null"]}),
        ([NOON], DATE),
        ([None, NOON], DATE | {"type": ["string", "null"]}),
        ([ObjectId()], {"type": "string", "x-bson": "objectid"}),
        ([Decimal128("1.50")], {"type": "string", "x-bson": "decimal"}),
        ([Decimal128("NaN")], {"type": "string", "x-bson": "decimal"}),
        ([b"\0\1"], {"type": "string", "x-bson": "binary"}),
        ([UUID4], {"type": "string", "format": "uuid", "x-bson": "uuid"}),
        ([[], []], {"type": "array"}),
        ([[1], [2, None]], {"type": "array", "items": {"type": ["integer", "null"]}}),
        ([{}], {"type": "object"}),
    ],
)
def test_values_of_one_type_have_this_type(values: list[Any], expected: Any) -> None:
    assert of_values(values) == expected


@pytest.mark.parametrize(
    ("values", "seen"),
    [
        (["a", 1, 2], "integer 2, string 1"),
        (["2026-01-01", NOON], "string 1, date 1"),
        ([{}, []], "object 1, array 1"),
        ([float("nan"), 1.5], "infinite number 1, number 1"),
        ([Binary(b"x", 5)], "binary of subtype 5 1"),
        ([Binary(b"short", 4)], "binary of subtype 4 1"),
        ([Timestamp(1, 2)], "timestamp 1"),
        ([Regex("a"), MinKey()], "regex 1, minkey 1"),
        ([None], "null 1"),
        ([DatetimeMS(10**15)], "date outside of the years 1 to 9999 1"),
    ],
)
def test_other_values_leave_a_path_open_and_say_why(values: list[Any], seen: str) -> None:
    found = inferred(*({"a": value} for value in values))
    assert found.schema is not None
    assert found.schema["properties"]["a"] == {"$comment": f"Seen: {seen}."}
    assert seen in details(found)["schema/properties/a"]


@pytest.mark.parametrize("others", [[1.5], [1, None], [True, {"a": 1}], [[NOON]]])
def test_strings_of_an_open_path_stand_for_values_of_its_one_type(others: list[Any]) -> None:
    found = of_values([NOON, *others])
    assert found["x-bson"] == "date"
    assert {*found["type"]} == {"string", "number", "boolean", "object", "array", "null"}
    for text_or_type in ("text", ObjectId(), Timestamp(1, 2)):
        assert [*of_values([NOON, *others, text_or_type])] == ["$comment"]


def test_where_a_put_of_json_would_lose_a_type_it_says_so() -> None:
    for values, is_lossy in (
        ([NOON, "text"], True),
        ([NOON, ObjectId()], True),
        ([Regex("a")], True),
        ([NOON, 1], False),
        (["text", 1], False),
        ([None], False),
    ):
        detail = details(inferred(*({"a": value} for value in values)))["schema/properties/a"]
        assert ("loses the type" in detail) == is_lossy, values


def test_what_all_have_is_required_and_what_some_have_is_listed() -> None:
    found = schema({"a": 1, "b": {"c": 1, "d": 2}}, {"a": None, "b": {"c": 3}, "e": []})
    assert found["required"] == ["a", "b"]
    assert [*found["properties"]] == ["a", "b", "e"]
    assert found["properties"]["b"]["required"] == ["c"]
    assert [*found["properties"]["b"]["properties"]] == ["c", "d"]


def test_the_objects_of_an_array_are_described_together() -> None:
    found = of_values([[{"sku": "a", "price": Decimal128("1")}], [{"sku": "b"}], []])
    assert found["items"] == {
        "type": "object",
        "properties": {
            "sku": {"type": "string"},
            "price": {"type": "string", "x-bson": "decimal"},
        },
        "required": ["sku"],
    }


@pytest.mark.parametrize(
    ("id", "expected"),
    [("a", "string"), (ObjectId(), "objectid"), (UUID4, "uuid"), (7, "integer")],
)
def test_ids_of_one_type_have_this_type(id: Any, expected: str) -> None:
    found = infer([bson.encode({"_id": id, "a": 1})])
    assert (found.id, "id" in details(found)) == (expected, False)


@pytest.mark.parametrize("ids", [["a", ObjectId()], [1, 2.0], [{"a": 1}], ["a", "b\n"]])
def test_other_ids_are_named(ids: list[Any]) -> None:
    found = infer(bson.encode({"_id": id}) for id in ids)
    assert found.id == "string"
    assert "path of their own" in details(found)["id"]
    assert found.schema is None


def test_metadata_of_the_service_is_no_field() -> None:
    stuff = {"etag": "0" * 32, "updated_at": NOON}
    found = inferred({"a": 1, "_stuff": stuff}, {"a": 2})
    assert found.has_metadata
    assert found.schema is not None
    assert [*found.schema["properties"]] == ["a"]
    assert "metadata" in details(found)
    assert not inferred({"a": 1}).has_metadata


def test_few_different_values_are_a_comment_and_no_limit() -> None:
    found = of_values(["new", "paid", None] * 10)
    assert found == {"type": ["string", "null"], "$comment": 'Seen: "new", "paid".'}
    assert of_values([3, 20, 100] * 10)["$comment"] == "Seen: 3, 20, 100."
    assert "$comment" not in of_values(str(n) for n in range(30))
    assert "$comment" not in of_values(["x" * 100] * 30)
    assert "$comment" not in of_values(["new"] * 5)


@pytest.mark.parametrize(
    "names",
    [
        ["65f0c0ffee65f0c0ffee65f0", "65f0c0ffee65f0c0ffee65f1"],
        ["5a0e5a4e-7b2f-4c6e-9d3a-0123456789ab"],
        ["0", "1", "27"],
        ["2026-01", "2026-02-28"],
        ["ada@example.org", "bob@example.com"],
        ["$set", "", "a\nb"],
        [f"user_{n}" for n in range(500)],
    ],
    ids=lambda names: names[0],
)
def test_names_that_are_data_make_a_map(names: list[str]) -> None:
    found = of_values([{name: {"n": 1}} for name in names] * 2)
    inside: Any = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    if len(names) > 5:
        inside["properties"]["n"]["$comment"] = "Seen: 1."
    assert found == {"type": "object", "additionalProperties": inside}


def test_the_entries_of_a_map_are_described_in_their_order() -> None:
    rows = [{f"{n}": {f"f{n}": 1, f"g{n}": 2}} for n in range(9)]
    found = of_values(rows)["additionalProperties"]
    assert [*found["properties"]] == [f"{letter}{n}" for n in range(9) for letter in "fg"]
    mixed = of_values([{"$a": 1, "$b": "x"}, {"7": 2}])
    assert mixed["additionalProperties"] == {"$comment": "Seen: integer 2, string 1."}


def test_a_map_may_have_fields_of_its_own() -> None:
    found = of_values([{"total": 1.5, f"item_{n}": n, f"other_{n}": None} for n in range(50)])
    assert found["properties"] == {"total": {"type": "number"}}
    assert found["required"] == ["total"]
    assert found["additionalProperties"] == {"type": ["integer", "null"]}


def test_optional_fields_of_different_types_are_no_map() -> None:
    fields = {f"field_{n}": (n if n % 2 else str(n)) for n in range(60)}
    found = of_values([{name: value} for name, value in fields.items()])
    assert [*found["properties"]] == [*fields]
    assert "additionalProperties" not in found


def test_references_keep_the_type_of_their_ids() -> None:
    found = of_values([DBRef("customers", ObjectId())])
    assert found["properties"] == {"$id": {"type": "string", "x-bson": "objectid"}}
    assert "additionalProperties" not in found


def test_names_that_no_path_leads_to_are_left_out() -> None:
    found = inferred({"a": 1, "b.c": 1, "$d": "x", "": None, "e\0".strip("\0") + "\n": 1})
    assert found.schema is not None
    assert [*found.schema["properties"]] == ["a"]
    assert '"b.c", "$d", "", "e\\n"' in details(found)["schema"]


def test_a_schema_has_a_bounded_size() -> None:
    nested: dict[str, Any] = {"end": 1}
    for _ in range(90):
        nested = {"a": [nested]}
    deep = inferred(nested)
    assert len(json.dumps(deep.schema)) < 4000
    assert any("nested so deep" in detail for detail in details(deep).values())
    rows = [{f"f{n}": {f"g{m}": 1 for m in range(50)} for n in range(100)}] * 2
    wide = inferred(*rows)
    assert wide.schema is not None
    assert len(wide.schema["properties"]) == 100
    assert len(json.dumps(wide.schema)) < 300_000
    assert "so many" in details(wide)["schema"]


def test_a_few_documents_are_said_to_be_few() -> None:
    assert "guess" in details(inferred({"a": 1}))["schema/required"]
    assert "schema/required" not in details(inferred(*[{"a": 1}] * 20))


@given(st.lists(DOCUMENTS, min_size=1, max_size=8))
def test_whatever_the_documents_are_they_fit(documents: list[dict[str, Any]]) -> None:
    fields = [bson.encode(each) for each in documents]
    found = infer(fields)
    if found.schema is None:
        return
    compiled = read_schema(Path("collections.json"), "a", found.schema)
    for each in fields:
        for _ in compiled.check(each):
            pass
