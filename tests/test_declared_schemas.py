"""Schemas in the file of collections: each fault is named with its place before the start."""

import json
from pathlib import Path
from typing import Any

import pytest

from service.declarations import read_declarations
from service.errors import ConfigurationError
from service.settings import Settings
from tests.support.declaring import declare

INLINE = "collections.json#/collections/books/schema"


def faults(folder: Path, schema: Any, **files: Any) -> list[str]:
    """What is said about this schema of the collection `books`, and these files."""
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content)
        (folder / f"{name}.json").write_text(text)
    file = declare(folder, books={"schema": schema})
    with pytest.raises(ConfigurationError) as error:
        read_declarations(Settings(collections=file))
    assert error.value.setting == "collections"
    return error.value.detail.splitlines()


def test_what_is_no_schema_is_named_with_its_place(tmp_path: Path) -> None:
    schema = {"properties": {"year": {"minimum": "x"}, "title": {"minLength": -1}}}
    assert sorted(faults(tmp_path, schema)) == [
        f"{INLINE}/properties/title/minLength: Give 0 or more.",
        f"{INLINE}/properties/year/minimum: Give a number.",
    ]


@pytest.mark.parametrize("pattern", ["(?=a)b", "(a)\\1", "(?<!a)b", "("])
def test_patterns_that_may_take_long_are_refused(tmp_path: Path, pattern: str) -> None:
    [fault] = faults(tmp_path, {"properties": {"a": {"pattern": pattern}}})
    wanted = "Give a regular expression without lookaround and references, which take too long."
    assert fault == f"{INLINE}/properties/a/pattern: {wanted}"


def test_a_type_that_is_none_is_told_which_there_are(tmp_path: Path) -> None:
    [fault] = faults(tmp_path, {"properties": {"a": {"type": "text"}}})
    assert fault.startswith(f"{INLINE}/properties/a/type: Give one or several of these: array, ")


@pytest.mark.parametrize("name", ["_id", "_stuff"])
def test_no_schema_requires_what_is_not_a_field(tmp_path: Path, name: str) -> None:
    required = {"type": "object", "required": ["title", name]}
    [inline] = faults(tmp_path, required)
    assert inline == f"{INLINE}/required: {name} is not a field. Take it out."
    [beside] = faults(tmp_path, {"$ref": "book.json"}, book=required)
    assert beside == f"book.json#/required: {name} is not a field. Take it out."


@pytest.mark.parametrize(
    "reference",
    [
        "../other.json", "/etc/passwd", "file:///etc/passwd", "https://example.com/a.json",
        "//example.com/a.json", "none.json", "a/../../other.json",
    ],
)  # fmt: skip
def test_only_files_beside_can_be_referred_to(tmp_path: Path, reference: str) -> None:
    (tmp_path / "other.json").write_text("{}")
    folder = tmp_path / "folder"
    folder.mkdir()
    [fault] = faults(folder, {"items": {"$ref": reference}})
    assert fault.startswith(f"{INLINE}/items/$ref: ")


@pytest.mark.parametrize("key", ["$id", "$ref"])
def test_what_is_no_address_is_named(tmp_path: Path, key: str) -> None:
    said = faults(tmp_path, {key: "http://["})
    assert said[0].startswith(f"{INLINE}/{key}: ")


def test_two_schemas_do_not_have_one_address(tmp_path: Path) -> None:
    schema = {"allOf": [{"$ref": "a.json"}, {"$ref": "b.json"}]}
    same = {"$id": "https://example.com/x.json"}
    said = faults(tmp_path, schema, a=same, b=same | {"type": "object"})
    assert said == ["b.json#/$id: Another schema has this address."]


def test_a_link_to_itself_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "loop.json").symlink_to(tmp_path / "loop.json")
    [fault] = faults(tmp_path, {"$ref": "loop.json"})
    assert fault.startswith(f"{INLINE}/$ref: loop.json ")


def test_a_link_does_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    [fault] = faults(folder, {"$ref": "link.json"})
    assert "outside" in fault


def test_faults_of_other_files_are_named_there(tmp_path: Path) -> None:
    book = {"properties": {"author": {"$ref": "author.json"}, "n": {"type": "strin"}}}
    said = faults(tmp_path, {"$ref": "book.json"}, book=book, author={"required": 5})
    assert [fault.partition(": ")[0] for fault in said] == [
        "book.json#/properties/n/type", "author.json#/required"
    ]  # fmt: skip
    [fault] = faults(tmp_path, {"$ref": "book.json"}, book='{"a": 1, "a": 2}')
    assert fault == (
        f"{INLINE}/$ref: book.json#/a: The key appears twice in one object. Keep one of them."
    )
    [fault] = faults(tmp_path, {"$ref": "book.json#/$defs/none"}, book={})
    assert "does not exist" in fault


def test_all_collections_are_checked_at_once(tmp_path: Path) -> None:
    file = declare(tmp_path, a={"schema": {"type": "x"}}, b={"schema": {"type": "y"}}, c={})
    with pytest.raises(ConfigurationError) as error:
        read_declarations(Settings(collections=file))
    assert "collections/a/schema/type" in error.value.detail
    assert "collections/b/schema/type" in error.value.detail


def twice(way: dict[str, Any]) -> dict[str, Any]:
    return {"$defs": {"e": {"oneOf": [way, way]}}, "$ref": "#/$defs/e"}


def chain(way: Any) -> dict[str, Any]:
    links: dict[str, Any] = {f"n{n}": way(f"#/$defs/n{n + 1}") for n in range(40)}
    return {"$defs": links | {"n40": {}}, "$ref": "#/$defs/n0"}


@pytest.mark.parametrize(
    "schema",
    [
        twice({"properties": {"left": {"$ref": "#/$defs/e"}}}),
        twice({"additionalProperties": {"$ref": "#/$defs/e"}}),
        twice({"items": {"$ref": "#/$defs/e"}}),
        chain(lambda target: {"allOf": [{"$ref": target}, {"$ref": target}]}),
        chain(lambda target: {"anyOf": [{"properties": {"a": {"$ref": target}}}] * 2}),
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"patternProperties": {f"a{n}$": {} for n in range(1000)}},
    ],
    ids=["property", "any", "items", "same value", "path", "endless", "patterns"],
)
def test_schemas_whose_check_may_explode_are_refused(
    tmp_path: Path, schema: dict[str, Any]
) -> None:
    [fault] = faults(tmp_path, schema)
    assert fault.startswith("collections.json#/collections/books/schema")


def test_a_long_chain_of_schemas_is_refused(tmp_path: Path) -> None:
    links = {f"n{n}": {"$ref": f"#/$defs/n{n + 1}"} for n in range(20_000)}
    schema = {"$defs": links | {"n20000": {}}, "$ref": "#/$defs/n0"}
    [fault] = faults(tmp_path, schema)
    assert fault == f"{INLINE}: One schema leads to the next too often."


def test_schemas_as_people_write_them_are_taken(tmp_path: Path) -> None:
    tree = {
        "title": "Node",
        "description": "A tree.",
        "type": "object",
        "properties": {
            "value": {"oneOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]},
            "left": {"$ref": "#"},
            "right": {"$ref": "#"},
            "children": {"type": "array", "items": {"$ref": "#"}},
            "pair": {"prefixItems": [{"$ref": "#"}, {"$ref": "#"}], "items": False},
            "meta": {"$ref": "#/$defs/meta"},
        },
        "$defs": {"meta": {"patternProperties": {"^x-": {"$ref": "#"}}, "propertyNames": {}}},
    }
    remote = {"$id": "https://example.com/schemas/a.json", "items": {"$ref": "b.json"}}
    for name, content in (("tree", tree), ("a", remote), ("b", {"type": "object"})):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    file = declare(
        tmp_path, trees={"schema": {"$ref": "tree.json"}}, others={"schema": {"$ref": "a.json"}}
    )
    declared = read_declarations(Settings(collections=file))
    assert (declared["trees"].name, declared["trees"].description) == ("Node", "A tree.")
    assert declared["others"].schema is not None
