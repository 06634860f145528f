"""Which paths the `x-bson` of a schema types; what cannot be decided is a fault at the start."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.declarations import read_declarations
from service.errors import ConfigurationError
from service.settings import Settings
from tests.support.declaring import declare

PLACE = "collections.json#/collections/orders/schema"
STRING = {"type": "string"}
DATE, UUID = STRING | {"x-bson": "date"}, STRING | {"x-bson": "uuid"}
MOMENT, NUMBER = "2026-12-01T08:00:00Z", "0190a0b0-7c3e-7d64-9f2e-3b1f5d8c2a10"


def stored(folder: Path, schema: Any, document: dict[str, Any], **files: Any) -> dict[str, Any]:
    """The document as it is stored; the names of types in place of the values."""
    for name, content in files.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    file = declare(folder, orders={"schema": schema})
    types = read_declarations(Settings(collections=file))["orders"].types
    if types is not None:
        assert [*types.store(document)] == []
    found: dict[str, Any] = named(document)
    return found


def named(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: named(each) for key, each in value.items()}
    if isinstance(value, list):
        return [named(each) for each in value]
    return type(value).__name__


def properties(**fields: Any) -> dict[str, Any]:
    return {"type": "object", "properties": fields}


IS_DATE, IS_UUID = "datetime", "Binary"


@pytest.mark.parametrize(
    ("schema", "document", "expected"),
    [
        (properties(a=DATE, b=STRING), {"a": MOMENT, "b": MOMENT}, {"a": IS_DATE, "b": "str"}),
        (
            properties(a=properties(b={"type": "array", "items": {"items": DATE}})),
            {"a": {"b": [[MOMENT], []]}, "b": MOMENT},
            {"a": {"b": [[IS_DATE], []]}, "b": "str"},
        ),
        (
            {"$ref": "#/$defs/e", "$defs": {"e": properties(a={"$ref": "#/$defs/d"}), "d": DATE}},
            {"a": MOMENT},
            {"a": IS_DATE},
        ),
        ({"allOf": [properties(a=DATE), properties(a=STRING)]}, {"a": MOMENT}, {"a": IS_DATE}),
        ({"anyOf": [properties(a=DATE), properties(b=UUID)]}, {"b": NUMBER}, {"b": IS_UUID}),
        ({"oneOf": [properties(a=DATE), properties(a=DATE)]}, {"a": MOMENT}, {"a": IS_DATE}),
        (properties(a={"oneOf": [DATE, {"type": "null"}]}), {"a": None}, {"a": "NoneType"}),
        (properties(a={"oneOf": [DATE, {"type": "array", "items": UUID}]}), {"a": [NUMBER]},
         {"a": [IS_UUID]}),
        (properties(a=STRING | {"allOf": [{"x-bson": "date"}]}), {"a": MOMENT}, {"a": IS_DATE}),
        (properties(a={"$ref": "#/$defs/s", "x-bson": "date"}) | {"$defs": {"s": STRING}},
         {"a": MOMENT}, {"a": IS_DATE}),
        (properties(a={"type": ["string", "integer", "null"], "x-bson": "date"}), {"a": 5},
         {"a": "int"}),
        (
            {"if": {"required": ["a"]}, "then": properties(a=DATE), "else": properties(b=UUID)},
            {"a": MOMENT, "b": NUMBER},
            {"a": IS_DATE, "b": IS_UUID},
        ),
        ({"dependentSchemas": {"a": properties(b=DATE)}}, {"b": MOMENT}, {"b": IS_DATE}),
        (
            properties(a=STRING) | {"additionalProperties": DATE},
            {"a": MOMENT, "b": MOMENT},
            {"a": "str", "b": IS_DATE},
        ),
        (
            {"allOf": [properties(a=STRING), {"additionalProperties": DATE}]},
            {"a": MOMENT, "b": MOMENT},
            {"a": IS_DATE, "b": IS_DATE},
        ),
        (
            properties(at=DATE, children={"type": "array", "items": {"$ref": "#"}}),
            {"at": MOMENT, "children": [{"children": [{"at": MOMENT, "b": MOMENT}]}]},
            {"at": IS_DATE, "children": [{"children": [{"at": IS_DATE, "b": "str"}]}]},
        ),
        (
            {"oneOf": [properties(k={"const": "a"}, left={"$ref": "#"}, v=DATE),
                       properties(k={"const": "b"}, right={"$ref": "#"}, v=DATE)]},
            {"left": {"right": {"v": MOMENT}}},
            {"left": {"right": {"v": IS_DATE}}},
        ),
        (properties(**{"a.b": DATE, "": DATE}), {"a.b": MOMENT, "": MOMENT, "a": {"b": MOMENT}},
         {"a.b": IS_DATE, "": IS_DATE, "a": {"b": "str"}}),
        (properties(a=properties(_id=UUID, _stuff=DATE)), {"a": {"_id": NUMBER, "_stuff": MOMENT}},
         {"a": {"_id": IS_UUID, "_stuff": IS_DATE}}),
        (properties(a=STRING, b={"default": DATE, "examples": [DATE]}) | {"$defs": {"d": DATE}},
         {"a": MOMENT, "b": MOMENT}, {"a": "str", "b": "str"}),
        (properties(a={"enum": ["2026-12-01T08:00:00.000Z"], "x-bson": "date"}),
         {"a": "2026-12-01T08:00:00.000Z"}, {"a": IS_DATE}),
    ],
)  # fmt: skip
def test_a_path_has_the_type_that_the_schema_says(
    tmp_path: Path, schema: Any, document: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert stored(tmp_path, schema, document) == expected


def test_files_beside_say_types_too(tmp_path: Path) -> None:
    """Also where no keyword of JSON Schema leads to."""
    common = {"types": {"when": {"$ref": "#/types/date"}, "date": DATE}}
    line = properties(at={"$ref": "common.json#/types/when"})
    schema = properties(lines={"type": "array", "items": {"$ref": "line.json"}})
    document = {"lines": [{"at": MOMENT}]}
    found = stored(tmp_path, schema, document, common=common, line=line)
    assert found == {"lines": [{"at": IS_DATE}]}


@pytest.mark.parametrize(
    ("schema", "place", "detail"),
    [
        (properties(a=STRING | {"x-bson": "time"}), "/properties/a/x-bson",
         "Give one of these: date, objectid, decimal, binary, uuid."),
        (properties(a=STRING | {"x-bson": ["date"]}), "/properties/a/x-bson",
         "Give one of these: date, objectid, decimal, binary, uuid."),
        ({"$defs": {"unused": {"x-bson": 5}}}, "/$defs/unused/x-bson",
         "Give one of these: date, objectid, decimal, binary, uuid."),
        (properties(a={"type": "integer", "x-bson": "date"}), "/properties/a/x-bson",
         'It belongs to "type": "string".'),
        (properties(a={"x-bson": "date"}), "/properties/a/x-bson",
         'It belongs to "type": "string".'),
        ({"type": "object", "x-bson": "date"}, "/x-bson", 'It belongs to "type": "string".'),
        (properties(a={"anyOf": [STRING, {"x-bson": "date"}]}), "/properties/a/anyOf/1/x-bson",
         'It belongs to "type": "string".'),
        (properties(a={"anyOf": [DATE, UUID]}), "/properties/a/anyOf/1/x-bson",
         "Its path has two types, date and uuid. It can have one."),
        ({"oneOf": [properties(a=DATE), properties(a=UUID)]}, "/oneOf/1/properties/a/x-bson",
         "Its path has two types, date and uuid. It can have one."),
        ({"oneOf": [properties(a=properties(b=DATE)), properties(a=properties(b=STRING))]},
         "/oneOf/1/properties/a/properties/b",
         "Another alternative stores the string as date. Say x-bson here too."),
        (properties(a={"anyOf": [DATE, {"enum": ["never"]}]}), "/properties/a/anyOf/1",
         "Another alternative stores the string as date. Say x-bson here too."),
        (properties(a=DATE | {"const": "2026-12-01T08:00:00Z"}), "/properties/a/const",
         "'2026-12-01T08:00:00Z' is read as '2026-12-01T08:00:00.000Z'. Write it so."),
        (properties(a=UUID | {"enum": [NUMBER, "none"]}), "/properties/a/enum",
         "'none' is no uuid. Give a UUID with hyphens."),
        (properties(_id=STRING | {"x-bson": "objectid"}), "/properties/_id",
         "_id is not a field. Its type is not declared here."),
        (properties(_stuff=properties(a=DATE)), "/properties/_stuff/properties/a",
         "_stuff is not a field. Its type is not declared here."),
        ({"patternProperties": {"^at_": DATE}}, "/patternProperties/^at_/x-bson",
         "It cannot be below patternProperties: a type belongs to a path."),
        ({"patternProperties": {"^x": {}}, "additionalProperties": DATE},
         "/additionalProperties/x-bson",
         "It cannot be below additionalProperties beside patternProperties: a type belongs to a "
         "path."),
        (properties(a={"prefixItems": [DATE]}), "/properties/a/prefixItems/0/x-bson",
         "It cannot be below prefixItems: a type belongs to a path."),
        (properties(a={"prefixItems": [{}], "items": DATE}), "/properties/a/items/x-bson",
         "It cannot be below items beside prefixItems: a type belongs to a path."),
        (properties(a={"contains": DATE}), "/properties/a/contains/x-bson",
         "It cannot be below contains: a type belongs to a path."),
        ({"unevaluatedProperties": DATE}, "/unevaluatedProperties/x-bson",
         "It cannot be below unevaluatedProperties: a type belongs to a path."),
        (properties(a={"unevaluatedItems": properties(b=DATE)}),
         "/properties/a/unevaluatedItems/properties/b/x-bson",
         "It cannot be below unevaluatedItems: a type belongs to a path."),
        ({"not": properties(a=DATE)}, "/not/properties/a/x-bson",
         "It cannot be below not: a type belongs to a path."),
        ({"if": properties(a=DATE)}, "/if/properties/a/x-bson",
         "It cannot be below if: a type belongs to a path."),
        ({"propertyNames": DATE}, "/propertyNames/x-bson",
         "It cannot be below propertyNames: a type belongs to a path."),
        (properties(a={"prefixItems": [{"$ref": "#/$defs/d"}]}) | {"$defs": {"d": DATE}},
         "/$defs/d/x-bson", "It cannot be below prefixItems: a type belongs to a path."),
        ({"$dynamicAnchor": "n"} | properties(at=DATE, next={"$dynamicRef": "#n"}),
         "/properties/at/x-bson", "It cannot be below $dynamicRef: a type belongs to a path."),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_a_fault_with_its_place(
    tmp_path: Path, schema: Any, place: str, detail: str
) -> None:
    file = declare(tmp_path, orders={"schema": schema})
    with pytest.raises(ConfigurationError) as error:
        read_declarations(Settings(collections=file))
    assert error.value.detail == f"{PLACE}{place}: {detail}"


def test_a_fault_in_a_file_beside_is_named_there(tmp_path: Path) -> None:
    (tmp_path / "line.json").write_text(json.dumps(properties(n={"x-bson": "date"})))
    file = declare(tmp_path, orders={"schema": properties(a={"$ref": "line.json"})})
    with pytest.raises(ConfigurationError) as error:
        read_declarations(Settings(collections=file))
    expected = 'line.json#/properties/n/x-bson: It belongs to "type": "string".'
    assert error.value.detail == expected


def test_a_schema_without_types_has_none(tmp_path: Path) -> None:
    file = declare(tmp_path, orders={"schema": properties(a=STRING | {"format": "date-time"})})
    assert read_declarations(Settings(collections=file))["orders"].types is None
