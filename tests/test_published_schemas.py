"""What generators of clients are told of a schema is only weaker than what validates."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from service.documents.published import publish, published_names
from tests.support.schemas import BOOK, DOCUMENTS, FILES, SCHEMAS

OWN = {"_id": {"type": "string"}, "_stuff": {"type": "object"}}
WRITTEN = {"title": "Notes", "year": 1843, "authors": [{"name": "Ada", "teachers": []}]}

often = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


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


@often
@given(SCHEMAS, st.lists(DOCUMENTS, min_size=20, max_size=20), DOCUMENTS)
def test_whatever_is_stored_matches_what_is_published(
    schema: dict[str, Any], documents: list[dict[str, Any]], before: dict[str, Any]
) -> None:
    try:
        is_valid = declared(schema)
    except jsonschema_rs.ValidationError:
        assume(False)
    components = publish("Book", schema, FILES, OWN)
    is_sent, is_read, is_patch, is_created = (
        published(components, name) for name in ("BookFields", "Book", "BookPatch", "BookCreated")
    )
    for document in [before, *documents]:
        if is_valid(document):
            assert is_sent(document), (document, components)
            assert is_read({"_id": "1", **document}), (document, components)
            assert is_created({"_id": "1", **document})
            assert is_created({"_id": "1"})
        if is_valid(merged(before, document)):
            assert is_patch(document), (document, components)


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


def test_documents_without_declared_fields_are_plain_maps() -> None:
    """Beside a declared `_id` generators would drop all other fields."""
    components = publish("Thing", {"type": "object"}, {}, OWN)
    for name in ("Thing", "ThingFields", "ThingPatch", "ThingCreated"):
        assert components[name]["type"] == "object"
        assert components[name]["additionalProperties"] is True
        assert "properties" not in components[name]
