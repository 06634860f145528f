"""`stuff check` lists the documents that do not fit the schema of their collection."""

import json
from pathlib import Path
from typing import Any

import pytest
from pymongo.collection import Collection

from tests.support.commands import stuff_here
from tests.support.declaring import declare

SCHEMA = {"required": ["title"], "properties": {"year": {"type": "integer"}}}
STORED: list[dict[str, Any]] = [
    {"_id": "a", "title": "A", "year": 1815},
    {"_id": "b/c", "year": "1815"},
    {"_id": 5, "title": "C", "year": 1.5},
]


@pytest.fixture
def file(
    tmp_path: Path,
    url: str,
    collection: Collection[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> Path:
    monkeypatch.setenv("STUFF_URL", url)
    collection.insert_many(STORED)
    file = declare(tmp_path, stuff={"schema": SCHEMA}, notes={})
    monkeypatch.setenv("STUFF_COLLECTIONS", str(file))
    return file


def test_each_document_that_does_not_fit_is_listed_with_the_places(file: Path) -> None:
    result = stuff_here("check", "stuff")
    assert result.returncode == 1
    assert sorted(result.stdout.splitlines()) == [
        "5 /year Give an integer.",
        'b/c / The field "title" is missing.',
        "b/c /year Give an integer.",
    ]
    assert result.stderr == "stuff: 2 of 3 documents do not fit the schema.\n"


def test_if_all_fit_the_exit_status_is_0(file: Path) -> None:
    result = stuff_here("check", "stuff", "--filter", '{"_id": "a"}')
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "1 documents checked; all fit the schema.\n"


def test_a_schema_can_be_tried_before_it_is_served(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    stuff = {"schema": {"properties": {"title": {"maxLength": 0}}}}
    other.write_text(json.dumps({"version": 1, "collections": {"stuff": stuff}}))
    result = stuff_here("check", "stuff", "--collections", str(other))
    assert "a /title Give at most 0 characters.\n" in result.stdout


def test_what_cannot_be_checked_is_one_clear_line(file: Path) -> None:
    for collection, said in (("none", "declares no collection"), ("notes", "declares no schema")):
        result = stuff_here("check", collection)
        assert (result.returncode, result.stdout) == (2, "")
        assert said in result.stderr
