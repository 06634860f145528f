"""What generators of clients are told of a schema is only weaker than what validates."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from service.documents.published import publish, published_names
from service.documents.published.values import ANY_OBJECT
from tests.support.fitting import DOCUMENTS, Fitted, fitted, names_in
from tests.support.schemas import BOOK, FILES

OWN = {"_id": {"type": "string"}, "_stuff": {"type": "object"}}
WRITTEN = {"title": "Notes", "year": 1843, "authors": [{"name": "Ada", "teachers": []}]}

CHANGED = {
    "const", "enum", "oneOf", "anyOf", "allOf", "not", "if", "then", "else", "$ref", "properties",
    "patternProperties", "additionalProperties", "unevaluatedProperties", "propertyNames",
    "prefixItems", "items", "unevaluatedItems", "contains", "dependentRequired", "dependentSchemas",
}  # fmt: skip
"""Keywords that a published schema lacks, or has in another form."""
EXAMPLES = settings(max_examples=150, phases=set(Phase) - {Phase.explain})


def declared(schema: Any) -> Callable[[Any], bool]:
    files = jsonschema_rs.Registry([(f"stuff:/{name}", file) for name, file in FILES.items()])
    return jsonschema_rs.validator_for(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "stuff:/x.json"}
        | schema,
        validate_formats=True,
        registry=files,
    ).is_valid


def published(components: dict[str, Any], name: str) -> Callable[[Any], bool]:
    return jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$ref": f"#/components/schemas/{name}",
            "components": {"schemas": components},
        },
        validate_formats=True,
    ).is_valid


def merged(target: Any, patch: Any) -> Any:
    """https://www.rfc-editor.org/rfc/rfc7396#section-2"""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """A merge patch that makes one of the other."""
    patch: dict[str, Any] = {name: None for name in before if name not in after}
    for name, value in after.items():
        old = before.get(name)
        if not isinstance(value, dict):
            patch[name] = value
        else:
            patch[name] = difference(old if isinstance(old, dict) else {}, value)
    return patch


def test_whatever_is_stored_matches_what_is_published() -> None:
    used: set[str] = set()

    @EXAMPLES
    @given(fitted())
    def matches(example: Fitted) -> None:
        is_valid = declared(example.schema)
        components = publish("Book", example.schema, {}, OWN)
        is_sent, is_read, is_created = (
            published(components, name) for name in ("BookFields", "Book", "BookCreated")
        )
        for document in example.documents:
            assert is_valid(document), "fits by construction"
        for document in [*example.documents, *filter(is_valid, example.others)]:
            assert is_sent(document), (document, components)
            assert is_read({"_id": "1", **document}), (document, components)
            assert is_created({"_id": "1", **document})
        assert is_created({"_id": "1"})
        used.update(names_in(example.schema))

    matches()
    assert used >= CHANGED


def test_whatever_makes_a_document_fit_matches_the_published_patch() -> None:
    tried = 0

    @EXAMPLES
    @given(fitted(), st.data())
    def matches(example: Fitted, data: st.DataObject) -> None:
        nonlocal tried
        is_valid = declared(example.schema)
        components = publish("Book", example.schema, {}, OWN)
        is_patch = published(components, "BookPatch")
        before, after = data.draw(DOCUMENTS), data.draw(st.sampled_from(example.documents))
        whole = difference(before, after)
        parts = [{name: value} for name, value in whole.items()]
        for patch in [whole, {"none": None}, *parts]:
            for document in (before, *example.documents):
                if is_valid(merged(document, patch)):
                    tried += patch != {}
                    assert is_patch(patch), (patch, components)

    matches()
    assert tried > 100


STRING, INTEGER = {"type": "string"}, {"type": "integer"}
HALVES = [
    {"type": "object", "properties": {"a": STRING}, "required": ["a"]},
    {"type": "object", "properties": {"b": INTEGER}, "required": ["b"]},
]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (
            {
                "type": "object",
                "patternProperties": {"^n": INTEGER},
                "additionalProperties": STRING,
            },
            {"n": 1, "other": "x"},
        ),
        ({"type": "array", "prefixItems": [STRING], "items": INTEGER}, ["x", 1]),
        ({"oneOf": HALVES}, {"a": "x", "b": "not an integer"}),
        ({"oneOf": HALVES}, {"b": 1}),
        ({"anyOf": [STRING, INTEGER]}, 1),
        ({"properties": {"a": STRING}}, "no object"),
        ({"not": STRING}, 1),
        ({"enum": ["a", None]}, None),
        ({"type": "integer"}, 1.0),
        ({"oneOf": [{"properties": {"a": each}} for each in HALVES]}, {"a": {"a": "x", "b": ""}}),
    ],
)
def test_what_is_left_out_makes_nothing_stricter(schema: Any, value: Any) -> None:
    whole = {"type": "object", "properties": {"v": schema}}
    components = publish("Book", whole, {}, OWN)
    assert declared(whole)({"v": value})
    for name in ("BookFields", "BookPatch"):
        assert published(components, name)({"v": value}), components
    assert published(components, "Book")({"_id": "1", "v": value}), components


def test_a_published_schema_still_says_what_fields_are() -> None:
    components = publish("Book", BOOK, FILES, OWN)
    is_sent, is_patch = published(components, "BookFields"), published(components, "BookPatch")
    assert declared(BOOK)(WRITTEN)
    assert is_sent(WRITTEN)
    faults: list[dict[str, Any]] = [
        {"year": "1843"}, {"year": 1400}, {"title": None}, {"language": "xx"}, {"kind": "film"},
        {"authors": [{}]}, {"authors": [{"name": "Ada", "teachers": [{}]}]}, {"medium": {}},
        {"publisher": {"name": "x", "address": {"city": 1}}}, {"ratings": {"a": "b"}},
        {"bought": "yesterday"}, {"sequel": {"title": "x"}},
    ]  # fmt: skip
    for wrong in faults:
        assert not is_sent(WRITTEN | wrong), wrong
    assert is_patch({"title": None, "publisher": {"name": None, "address": {"city": None}}})
    assert not is_patch({"publisher": {"address": {"city": 1}}})
    assert not is_patch({"year": "1843"})


def test_components_have_names_and_need_no_keyword_that_generators_lack() -> None:
    components = publish("Book", BOOK, FILES, OWN)
    assert set(components) == {
        "Book", "BookFields", "BookPatch", "BookCreated", "BookAuthor", "BookPublisher",
        "BookPublisherAddress", "BookMedium", "BookPublisherPatch", "BookPublisherAddressPatch",
        "BookMediumPatch",
    }  # fmt: skip
    medium = components["BookMedium"]
    assert medium["properties"]["form"] == {"type": "string", "enum": ["paper", "audio"]}
    assert set(medium["properties"]) == {"form", "pages", "minutes"}
    assert medium["required"] == ["form"]
    assert {*published_names("Book", BOOK, FILES)} == {*components, "BookPage"}
    text = json.dumps(components)
    for keyword in ("oneOf", "allOf", "const", "if", "then", "prefixItems", "pattern", "$defs"):
        assert f'"{keyword}"' not in text
    assert '"additionalProperties": false' not in text
    assert list(components["Book"]["properties"])[:2] == ["_id", "_stuff"]
    assert components["Book"]["required"] == ["_id", "title", "year"]
    assert "required" not in components["BookPatch"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"enum": ["A", "a"]}, {"type": "string"}),  # openapi-python-client generates nothing
        ({"enum": ["x-y", "x_y"]}, {"type": "string"}),  # and here it loses one of them
        ({"enum": ["ü", "ö"]}, {"type": "string"}),
        ({"anyOf": [{"const": "A"}, {"const": "a"}]}, {"type": "string"}),
        ({"enum": ["<", ">", "a"]}, {"type": "string", "enum": ["<", ">", "a"]}),
        ({"type": "null"}, {}),  # Go and Rust have no type for what can only be null
        ({"type": "array", "items": {"const": None}}, {"type": "array", "items": {}}),
        ({"type": "object", "additionalProperties": {"type": "null"}}, ANY_OBJECT),
        ({"type": "string", "anyOf": [{"minLength": 2}, {"const": ""}]}, {"type": "string"}),
    ],
)
def test_what_generators_cannot_name_is_published_without_it(schema: Any, expected: Any) -> None:
    whole = {"type": "object", "properties": {"v": schema}, "additionalProperties": False}
    components = publish("Book", whole, {}, OWN)
    for name in ("Book", "BookFields"):
        assert components[name]["properties"]["v"] == expected


def test_what_is_nullable_in_each_branch_of_a_union_keeps_its_type() -> None:
    branches = [
        {"type": "object", "properties": {"kind": {"enum": [kind, None]}}, "required": ["kind"]}
        for kind in ("paper", "audio")
    ]
    whole = {"type": "object", "properties": {"v": {"oneOf": branches}}}
    kind = publish("Book", whole, {}, OWN)["BookV"]["properties"]["kind"]
    assert kind == {"anyOf": [{"type": "string", "enum": ["paper", "audio"]}, {"type": "null"}]}


def test_the_type_beside_a_union_is_that_of_its_branches() -> None:
    branches = [
        {"properties": {"kind": {"const": kind}}, "required": ["kind"]}
        for kind in ("paper", "audio")
    ]
    whole = {"type": "object", "properties": {"v": {"type": "object", "oneOf": branches}}}
    components = publish("Book", whole, {}, OWN)
    assert components["BookFields"]["properties"]["v"] == {"$ref": "#/components/schemas/BookV"}
    assert components["BookV"] == {
        "type": "object",
        "properties": {"kind": {"type": "string", "enum": ["paper", "audio"]}},
        "required": ["kind"],
        "additionalProperties": True,
    }


def test_documents_without_declared_fields_are_plain_maps() -> None:
    """Beside a declared `_id` generators would drop all other fields."""
    components = publish("Thing", {"type": "object"}, {}, OWN)
    for name in ("Thing", "ThingFields", "ThingPatch", "ThingCreated"):
        assert components[name]["type"] == "object"
        assert components[name]["additionalProperties"] is True
        assert "properties" not in components[name]


@pytest.mark.parametrize(
    ("kind", "more", "expected"),
    [
        ("date", {}, {"format": "date-time"}),
        ("date", {"format": "date-time"}, {"format": "date-time"}),
        ("date", {"minLength": 20}, {"format": "date-time", "minLength": 20}),
        ("uuid", {}, {"format": "uuid"}),
        ("binary", {}, {"format": "byte", "contentEncoding": "base64"}),
        ("decimal", {"description": "In euros."}, {"description": "In euros."}),
        ("objectid", {}, {}),
    ],
)
def test_strings_that_are_stored_as_another_type_have_a_format(
    kind: str, more: dict[str, Any], expected: dict[str, Any]
) -> None:
    schema = {"properties": {"v": {"type": "string", "x-bson": kind} | more}}
    components = publish("Book", schema, {}, OWN)
    for name in ("Book", "BookFields"):
        assert components[name]["properties"]["v"] == {"type": "string"} | expected
    assert components["BookPatch"]["properties"]["v"]["type"] == ["string", "null"]
