"""The OpenAPI document: what clients are generated from and people read.

Endpoints say what they take; here stands what they answer, every status with its headers and the
schema of its body, and what FastAPI's own generation leaves out.
"""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, ConfigDict, Field

from service import __version__, errors, problems
from service.errors import StuffError
from service.problems import Problem

Responses = dict[int | str, dict[str, Any]]

DESCRIPTION = """\
A JSON document store over HTTP, on MongoDB: `PUT` an object at `/stuff/{id}`, `GET` it back.

Any JSON object is stored without loss and in its own key order. A write is answered when a majority
of the replica set has it in its journal. Every error is a problem (RFC 9457) that says what to do.
"""
TAGS = [
    {"name": "documents", "description": "Documents: JSON objects of any shape, each under an id."},
    {
        "name": "system",
        "description": "The health of the service, for those who operate it.",
    },
]
EXAMPLE: dict[str, Any] = {
    "name": "Ada Lovelace",
    "born": 1815,
    "fields": ["mathematics", "computing"],
}
EXAMPLE_TAG = '"1e5ea7c4b6a94e55bf0e8e2a3a1b6ffd"'


class Fields(BaseModel):
    """The fields of a document: any JSON object.

    Two top-level keys are reserved, `_id` (the document's id) and `_stuff` (the service's
    metadata); keys that start with `$` are possible below the top level only.
    """

    model_config = ConfigDict(extra="allow", json_schema_extra={"examples": [EXAMPLE]})


class Document(BaseModel):
    """A document: its id and its fields, of any shape."""

    model_config = ConfigDict(
        extra="allow", json_schema_extra={"examples": [{"_id": "ada", **EXAMPLE}]}
    )

    id: str = Field(alias="_id", description="The document's id.", examples=["ada"])


class Created(BaseModel):
    """The id that the service gave a new document."""

    id: str = Field(
        alias="_id",
        description="The document's id, a UUIDv7.",
        examples=["0190a0b0-7c3e-7d64-9f2e-3b1f5d8c2a10"],
    )


def _header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


ETAG = {"ETag": _header("The document's strong entity tag, a hash of its fields.", EXAMPLE_TAG)}
LAST_MODIFIED = {
    "Last-Modified": _header(
        "When the document was last written, if it is known.", "Mon, 23 Nov 2026 12:00:00 GMT"
    )
}
VALIDATORS = ETAG | LAST_MODIFIED
LOCATION = {"Location": _header("The address of the new document.", "/stuff/ada")}
RETRY_AFTER = {"Retry-After": _header("Seconds to wait before trying again.", "1")}


def _ok(status: int, description: str, **more: Any) -> Responses:
    return {status: {"description": description} | more}


def _problem(
    error: type[StuffError], description: str, headers: dict[str, Any] | None = None
) -> Responses:
    """The response to errors of a status, shown by the example of one."""
    example = {
        "type": problems.TYPE_PREFIX + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": "What went wrong this time, and what to do about it.",
        "instance": "/stuff/ada",
    }
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
    response = {"description": description, "content": {problems.MEDIA_TYPE: content}}
    return {error.status: response | ({"headers": headers} if headers else {})}


def _without_content(responses: Responses) -> Responses:
    """The responses of HEAD: the same, without a body."""
    return {
        status: {key: value for key, value in response.items() if key not in ("content", "model")}
        for status, response in responses.items()
    }


UNAVAILABLE = _problem(
    errors.DatabaseUnavailable, "The database does not answer; try again shortly.", RETRY_AFTER
)
MALFORMED = _problem(errors.MalformedJSON, "The body is not JSON, or the path is not UTF-8.")
MALFORMED_PATH = _problem(errors.MalformedPath, "The path is not UTF-8.")
INVALID_ID = _problem(errors.InvalidId, "The id is empty, too long, or has control characters.")
NOT_FOUND = _problem(errors.DocumentNotFound, "There is no such document.")
REFUSED = (
    MALFORMED
    | _problem(
        errors.DuplicateKey,
        "A unique index of the collection holds a value of the document already.",
    )
    | _problem(
        errors.BodyTooLarge, "The body is larger than the service reads, or than MongoDB stores."
    )
    | _problem(
        errors.UnsupportedMediaType,
        "The body is not `application/json` in UTF-8.",
        {
            "Accept": _header("The media type to send.", "application/json"),
            "Accept-Encoding": _header("The content coding to send.", "identity"),
        },
    )
    | _problem(
        errors.InvalidDocument, "The id is not valid, or the JSON cannot be stored as a document."
    )
    | UNAVAILABLE
)

GET_DOCUMENT = (
    _ok(200, "The document.", model=Document, headers=VALIDATORS)
    | MALFORMED_PATH
    | NOT_FOUND
    | INVALID_ID
    | UNAVAILABLE
)
HEAD_DOCUMENT = _without_content(GET_DOCUMENT)
PUT_DOCUMENT = (
    _ok(200, "The document was replaced.", headers=VALIDATORS)
    | _ok(201, "The document was created.", headers=VALIDATORS | LOCATION)
    | REFUSED
)
CREATE_DOCUMENT = (
    _ok(201, "The document was created.", model=Created, headers=VALIDATORS | LOCATION) | REFUSED
)
DELETE_DOCUMENT = (
    _ok(204, "The document was deleted.") | MALFORMED_PATH | NOT_FOUND | INVALID_ID | UNAVAILABLE
)
LIVENESS = _ok(200, "The process lives.")
READINESS = _ok(200, "The database answers.") | UNAVAILABLE

DOCUMENT_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "The document: any JSON object.",
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Fields"},
                "example": EXAMPLE,
            }
        },
    }
}


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title="Stuff",
            version=__version__,
            openapi_version="3.1.0",
            summary="A JSON document store over HTTP, on MongoDB.",
            description=DESCRIPTION,
            routes=app.routes,
            tags=TAGS,
            servers=[{"url": "/", "description": "The server that this document comes from."}],
            license_info={"name": "MIT", "identifier": "MIT"},
            contact={"name": "The Stuff developers"},
        )
        schemas = schema["components"]["schemas"]
        for model in (Fields, Problem):
            schemas[model.__name__] = model.model_json_schema()
        schema["components"]["schemas"] = dict(sorted(schemas.items()))
        app.openapi_schema = schema
    return app.openapi_schema
