"""The OpenAPI document of collections with ids of each type, and without metadata."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from openapi_spec_validator import validate

from service.application import create_app
from service.documents.ids import TYPES
from service.settings import Settings
from tests.support.declaring import declare
from tests.support.ids import Typed, each_type
from tests.support.schemas import BOOK, FILES

PATTERNS = {"objectid": "^[0-9a-f]{24}$", "integer": "^(0|-?[1-9][0-9]{0,18})$"}


@pytest.fixture
def document(typed: Typed, tmp_path: Path) -> dict[str, Any]:
    for name, schema in FILES.items():
        (tmp_path / name).write_text(json.dumps(schema))
    file = declare(
        tmp_path,
        books={"name": "Book", "schema": BOOK, "id": typed.name, "metadata": False},
        things={"id": typed.name},
        stuff={"id": typed.name},
    )
    return create_app(Settings(collections=file)).openapi()


def is_id(text: str, name: str) -> bool:
    return bool(re.fullmatch(PATTERNS[name], text)) if name in PATTERNS else bool(UUID(text))


@each_type
def test_paths_and_models_have_the_format_of_the_type(
    document: dict[str, Any], typed: Typed
) -> None:
    validate(document)
    models = document["components"]["schemas"]
    names = ["Book"] if typed.name == "integer" else ["Book", "BookCreated"]
    schemas = [models[name]["properties"]["_id"] for name in names]
    for name in ("books", "things", "stuff"):
        for operation in document["paths"][f"/{name}/{{id}}"].values():
            [parameter] = [each for each in operation["parameters"] if each["in"] == "path"]
            schemas.append(parameter["schema"])
            for example in parameter["examples"].values():
                assert is_id(example["value"], typed.name)
    for schema in schemas:
        assert schema["type"] == "string"
        assert schema.get("pattern") == PATTERNS.get(typed.name)
        assert schema.get("format") == ("uuid" if typed.name == "uuid" else None)
        validator = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
        assert all(map(validator.is_valid, typed.texts))


@each_type
def test_examples_have_ids_of_the_type(document: dict[str, Any], typed: Typed) -> None:
    for name in ("books", "things", "stuff"):
        paths = (document["paths"][f"/{name}"], document["paths"][f"/{name}/{{id}}"])
        text = json.dumps([*paths, document["components"]["schemas"]["Book"]])
        for usual in TYPES["string"].examples:
            assert f'"_id": "{usual}"' not in text
            assert f'\\"_id\\": \\"{usual}\\"' not in text
            assert f"/{usual}" not in text
    [book] = document["components"]["schemas"]["Book"]["examples"]
    assert is_id(book["_id"], typed.name)
    assert book["_stuff"].keys() == {"etag"}
    location = document["paths"]["/books/{id}"]["put"]["responses"]["201"]["headers"]["Location"]
    assert is_id(location["example"].removeprefix("/books/"), typed.name)


@each_type
def test_a_creation_says_what_it_makes_if_it_makes_ids(
    document: dict[str, Any], typed: Typed
) -> None:
    for name in ("books", "things", "stuff"):
        methods = document["paths"][f"/{name}"]
        if typed.name == "integer":
            assert "post" not in methods
        else:
            made = TYPES[typed.name].made
            post = methods["post"]
            assert made in post["description"]
            assert made in post["responses"]["201"]["description"]
