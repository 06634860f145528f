"""Commands with `--collection`: what they do in one collection, they do in no other."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal

from service.security import make_key, parse_keys
from service.settings import Settings
from tests.support.applications import listen
from tests.support.commands import stuff_here
from tests.support.declaring import declare

BOOKS = ("--collection", "books")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    schema = {"properties": {"issues": {"items": {"type": "integer"}}}, "required": ["title"]}
    return declare(
        tmp_path,
        books={"name": "Book", "mongodb": "library_books"},
        magazines={"name": "Magazine", "schema": schema},
    )


@pytest.fixture(autouse=True)
def server(settings: Settings, file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    declared = Settings(**settings.model_dump() | {"collections": file})
    with (
        start_blocking_portal("asyncio", {"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(listen(declared)) as url,
    ):
        monkeypatch.setenv("STUFF_URL", url)
        yield


def test_commands_for_documents_take_a_collection() -> None:
    assert stuff_here("put", "a/b", *BOOKS, sent='{"n": 1}').stdout.startswith("created a/b ")
    assert json.loads(stuff_here("get", "a/b", *BOOKS).stdout) == {"_id": "a/b", "n": 1}
    assert stuff_here("get", "a/b").returncode == 1
    assert stuff_here("ls", *BOOKS).stdout == "a/b\n"
    assert stuff_here("ls").stdout == ""
    assert stuff_here("delete", "a/b").returncode == 1
    assert stuff_here("delete", "a/b", *BOOKS).stdout == "deleted a/b\n"


def test_exports_and_imports_take_a_collection(tmp_path: Path) -> None:
    lines = "".join(f'{{"_id":"{number}","n":{number}}}\n' for number in range(5))
    imported = stuff_here("import", "-", "--json", *BOOKS, sent=lines)
    assert imported.stderr.startswith("5 documents imported (5 created")
    assert stuff_here("export", "-", "--json", *BOOKS).stdout == lines
    assert stuff_here("export", "-", "--json").stdout == ""


def test_all_places_where_a_document_does_not_fit_are_named() -> None:
    places = ['  The field "title" is missing.', "  /issues/1 Give an integer."]
    line = '{"_id": "a", "issues": [1, "2"]}'
    for arguments in (("put", "a"), ("import", "-", "--json")):
        refused = stuff_here(*arguments, "--collection", "magazines", sent=line)
        assert refused.returncode == 1
        assert {*places} <= {*refused.stderr.splitlines()}
        assert "in 2 places. Correct them:\n" in refused.stderr


def test_an_unknown_collection_is_refused_in_a_line() -> None:
    for name in ("notes", "openapi"):
        refused = stuff_here("ls", "--collection", name)
        assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
        assert f"/{name}" in refused.stderr
    malformed = stuff_here("ls", "--collection", "../docs")
    assert malformed.returncode == 2
    assert "is not the name of a collection" in malformed.stderr


def test_indexes_are_those_of_the_collection(settings: Settings, file: Path) -> None:
    assert settings.mongodb_uri is not None
    database = {
        "STUFF_MONGODB_URI": settings.mongodb_uri.get_secret_value(),
        "STUFF_DATABASE": settings.database,
        "STUFF_COLLECTIONS": str(file),
    }
    stuff_here("put", "a", *BOOKS, sent="{}")
    stuff_here("put", "a", sent="{}")
    created = stuff_here("index", "create", "year", *BOOKS, **database)
    assert created.stdout == "year_1__id_1\n"
    assert f"In {settings.database}.library_books of" in created.stderr
    assert "year_1__id_1" in stuff_here("index", "list", *BOOKS, **database).stdout
    assert "year_1__id_1" not in stuff_here("index", "list", **database).stdout
    plan = stuff_here("index", "explain", "--sort", "year", *BOOKS, **database).stdout
    assert "year_1__id_1" in plan
    assert stuff_here("index", "drop", "year_1__id_1", *BOOKS, **database).returncode == 0
    unknown = stuff_here("index", "list", "--collection", "notes", **database)
    assert (unknown.returncode, "STUFF_COLLECTIONS" in unknown.stderr) == (2, True)


def test_keys_may_have_scopes_in_a_collection(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    created = stuff_here("key", "create", "--scopes", "read:books,write", "--file", str(file))
    assert created.returncode == 0
    [key] = parse_keys(file.read_text()).values()
    assert key.scopes == {"read:books", "write"}
    assert stuff_here("key", "list", "--file", str(file)).stdout == f"{key.id} read:books,write\n"
    assert str(make_key(key.scopes)[1]).split()[1] == "read:books,write"
    for scopes in ("read:", "admin", "read:Books", "read:a b", "read;write", ""):
        refused = stuff_here("key", "create", "--scopes", scopes)
        assert (refused.returncode, "read:NAME" in refused.stderr) == (2, True)
