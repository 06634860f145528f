"""Faults of values that fit none of several alternatives: those of the one that was meant."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.applications import Application
from tests.support.declaring import declare
from tests.support.problems import assert_problem

NONE = "The value fits none of the alternatives of the schema."
CIRCLE = {"kind": {"const": "circle"}, "radius": {"type": "number"}}
PATH = {"kind": {"enum": ["line", "path"]}, "points": {"items": {"type": "array", "minItems": 2}}}
SHAPE = {
    "type": "object",
    "oneOf": [{"properties": each, "additionalProperties": False} for each in (CIRCLE, PATH)],
}
HERE = {"required": ["city"], "properties": {"city": {"minLength": 1}, "rows": {"maxItems": 1}}}
ONLINE = {"required": ["url"], "properties": {"url": {"format": "uri"}}}
PLACE = {"oneOf": [each | {"additionalProperties": False} for each in (ONLINE, HERE)]}
OWNER = {"anyOf": [{"type": "object", "required": ["name"]}, {"type": "null"}]}
GROUP = {"anyOf": [{"type": "null"}, {"type": "object", "properties": {"shape": SHAPE}}]}


@pytest.mark.parametrize(
    ("schema", "value", "errors"),
    [
        pytest.param(
            SHAPE,
            {"kind": "path", "points": [[1]], "x": 1},
            [("/points/0", "Give at least 2 elements."), ("/x", "There is no such field here. ")],
            id="by the value of a member",
        ),
        pytest.param(SHAPE, {"kind": "disk"}, [("", NONE)], id="of an unknown kind"),
        pytest.param(
            PLACE,
            {"city": "", "rows": [1, 2]},
            [("/city", "Give at least 1 character."), ("/rows", "Give at most 1 element.")],
            id="by its members",
        ),
        pytest.param(PLACE, {}, [("", NONE)], id="with the members of none"),
        pytest.param(OWNER, {}, [("", 'The field "name" is missing.')], id="by its type"),
        pytest.param(OWNER, 5, [("", NONE)], id="of another type"),
        pytest.param(
            GROUP,
            {"shape": {"kind": "circle", "radius": "x"}},
            [("/shape/radius", "Give a number.")],
            id="inside one another",
        ),
    ],
)
async def test_the_faults_of_the_alternative_that_was_meant_are_named(
    application: Application,
    tmp_path: Path,
    schema: dict[str, Any],
    value: Any,
    errors: list[tuple[str, str]],
) -> None:
    file = declare(tmp_path, things={"schema": {"properties": {"value": schema}}})
    async with application(collections=file) as client:
        response = await client.put("/things/a", json={"value": value})
        found = assert_problem(response, 422, "schema-violation")["errors"]
        assert [each["pointer"] for each in found] == [f"/value{at}" for at, _ in errors]
        for each, (_, detail) in zip(found, errors, strict=True):
            assert each["detail"].startswith(detail)
