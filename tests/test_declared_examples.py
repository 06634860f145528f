"""The examples in the OpenAPI document of declared collections, which people try as they are."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.applications import Application
from tests.support.declaring import declare

TICKET = {
    "type": "object",
    "required": ["seat"],
    "properties": {"seat": {"type": "string", "pattern": "^[A-Z][0-9]+$"}},
}
ONLINE = {"properties": {"online": {"type": "string", "format": "uri"}}, "required": ["online"]}
PLACE = {"properties": {"city": {"type": "string", "minLength": 7}}, "required": ["city"]}
SCHEMAS: dict[str, dict[str, Any]] = {
    "alternatives": {
        "venue": {
            "type": "object",
            "oneOf": [each | {"additionalProperties": False} for each in (ONLINE, PLACE)],
        }
    },
    "a pattern": {"tickets": {"type": "array", "items": TICKET, "minItems": 2}},
    "a code of some length": {"isbn": {"type": "string", "pattern": "^(97[89])?[0-9]{10}$"}},
    "a type of BSON": {
        "price": {"type": "string", "x-bson": "decimal"},
        "owner": {"type": ["null", "string"], "x-bson": "objectid"},
    },
    "bounds": {
        "n": {"type": "integer", "exclusiveMinimum": 10, "multipleOf": 7},
        "share": {"type": "number", "maximum": 0.5},
        "none": {"type": "array", "maxItems": 0},
    },
    "values": {"kind": {"enum": ["a", "b"]}, "version": {"const": 3}, "on": {"type": "boolean"}},
    "formats": {"day": {"format": "date", "type": "string"}, "at": {"$ref": "#/$defs/time"}},
    "an example of its own": {"name": {"type": "string", "examples": ["Ada"]}},
    "what another member forbids": {"a": {"type": "string"}, "b": {"not": {"type": "string"}}},
}


@pytest.mark.parametrize("name", SCHEMAS)
async def test_the_example_of_a_schema_is_accepted(
    application: Application, tmp_path: Path, name: str
) -> None:
    schema = {
        "type": "object",
        "properties": SCHEMAS[name],
        "additionalProperties": False,
        "$defs": {"time": {"type": "string", "format": "date-time"}},
    }
    file = declare(tmp_path, things={"name": "Thing", "schema": schema})
    async with application(collections=file) as client:
        document = (await client.get("/openapi.json")).json()
        body = document["paths"]["/things/{id}"]["put"]["requestBody"]
        example = body["content"]["application/json"]["example"]
        assert example.keys() == SCHEMAS[name].keys()
        response = await client.put("/things/a", json=example)
        assert response.status_code == 201, response.text


async def test_what_cannot_be_guessed_is_left_out_if_it_may_be(
    application: Application, tmp_path: Path
) -> None:
    hard = {"type": "string", "pattern": "^[A-Z]{3}-[a-z]{7}-[0-9]{5}$"}
    schema = {"properties": {"hard": hard, "name": {"type": "string"}}}
    file = declare(tmp_path, things={"name": "Thing", "schema": schema})
    async with application(collections=file) as client:
        document = (await client.get("/openapi.json")).json()
        assert document["components"]["schemas"]["ThingFields"]["examples"] == [{"name": "text"}]


async def test_a_pattern_that_takes_others_years_to_search_for_delays_no_start(
    application: Application, tmp_path: Path
) -> None:
    hard = {"type": "string", "pattern": r"^(\w+\w*)*!$"}
    schema = {"type": "object", "properties": {"hard": hard}}
    file = declare(tmp_path, things={"name": "Thing", "schema": schema})
    async with application(collections=file) as client:
        assert (await client.get("/openapi.json")).status_code == 200


async def test_a_schema_that_nothing_fits_has_an_example_all_the_same(
    application: Application, tmp_path: Path
) -> None:
    endless = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": "#"}}}
    file = declare(tmp_path, things={"name": "Thing", "schema": endless})
    async with application(collections=file) as client:
        document = (await client.get("/openapi.json")).json()
        assert "examples" in document["components"]["schemas"]["ThingFields"]
