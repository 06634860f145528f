"""The schemas of bodies, with examples that work."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from service.documents import layout
from service.web.problems import SingleProblem

EXAMPLE: dict[str, Any] = {
    "name": "Ada Lovelace",
    "born": 1815,
    "fields": ["mathematics", "computing"],
}
MERGE_EXAMPLE: dict[str, Any] = {"died": 1852, "fields": ["mathematics"]}
PATCH_EXAMPLE: dict[str, Any] = {"op": "add", "path": "/fields/-", "value": "poetry"}
OPERATORS_EXAMPLE: dict[str, Any] = {"$inc": {"visits": 1}, "$push": {"fields": "poetry"}}
EXAMPLE_TAG = f'"{layout.entity_tag(layout.encode_fields(EXAMPLE))}"'


class Fields(BaseModel):
    """The fields of a document: any JSON object.

    Two top-level keys are reserved, `_id` (the document's id) and `_stuff` (the service's
    metadata); keys that start with `$` are allowed only below the top level.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [EXAMPLE]})


# It declares no properties, not even `_id`: the generators for Rust, Dart, PHP and Ruby ignore
# additional properties beside declared ones, so that a document would have an id and nothing else.
class Document(BaseModel):
    """A document: its id, as `_id`, and its fields, of any shape."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"_id": "ada", **EXAMPLE}]}
    )


class DocumentPage(BaseModel):
    """A page of documents, and where the next page starts."""

    items: list[Document] = Field(description="The documents, or the fields that were asked for.")
    next: str | None = Field(
        description="What to send as `after` to get the next page; null if this is the last one."
    )
    total: int | None = Field(
        None, description="How many documents match the filter, with `count=true`."
    )


class FailedLine(SingleProblem):
    """Why a line could not be stored: the problem of a request with this line alone."""

    line: int = Field(description="The number of the line, from 1.")


class LoadReport(BaseModel):
    """The result of a load."""

    lines: int = Field(description="How many lines were read, empty ones included.")
    created: int = Field(description="How many documents were created.")
    replaced: int = Field(description="How many documents were replaced.")
    failed: int = Field(description="How many lines could not be stored.")
    errors: list[FailedLine] = Field(
        description="The problems of the first failed lines: a thousand, or fewer if they are long."
    )


class Deleted(BaseModel):
    """The result of a deletion."""

    deleted: int = Field(description="How many documents were deleted.")


class MergePatch(BaseModel):
    """A JSON Merge Patch (RFC 7396): the members to set, and, as null, those to remove."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [MERGE_EXAMPLE]})


# It declares no properties: their names would be no names in most languages.
class UpdateOperators(BaseModel):
    """Update operators of MongoDB, each with an object of paths and operands: `$set`, `$unset`,
    `$inc`, `$mul`, `$min`, `$max`, `$push`, `$addToSet`, `$pull` and `$pop`."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [OPERATORS_EXAMPLE]})


class PatchOperation(BaseModel):
    """An operation of a JSON Patch (RFC 6902)."""

    model_config = ConfigDict(json_schema_extra={"examples": [PATCH_EXAMPLE]})

    op: Literal["add", "remove", "replace", "move", "copy", "test"] = Field(
        description="What to do."
    )
    path: str = Field(description="Where, as a JSON Pointer (RFC 6901).")
    source: str | None = Field(
        None, alias="from", description="Where to move or copy from, as a JSON Pointer."
    )
    value: Any = Field(None, description="The value to add, to replace with, or to test for.")


JSON_PATCH: dict[str, Any] = {
    "title": "JsonPatch",
    "description": "A JSON Patch (RFC 6902): operations, applied all together or not at all.",
    # From a plain array openapi-python-client generates clients that cannot send any patch.
    "allOf": [{"type": "array", "items": {"$ref": "#/components/schemas/PatchOperation"}}],
}
