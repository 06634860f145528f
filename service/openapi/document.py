"""The responses, header fields and bodies of a document's operations."""

from typing import Any

from service.documents.updates import MEDIA_TYPE as UPDATE_OPERATORS
from service.openapi.headers import (
    ACCEPT_PATCH,
    ALLOW,
    IDEMPOTENCY_KEY,
    IF_MATCH,
    IF_MODIFIED_SINCE,
    IF_NONE_MATCH,
    IF_NONE_MATCH_READ,
    IF_UNMODIFIED_SINCE,
    LAST_EVENT_ID,
    LOCATION,
    PREFER,
    PREFERRED,
    REPLAYED,
    VALIDATORS,
    VARY_ACCEPT,
)
from service.openapi.responses import ok, without_content
from service.openapi.schemas import (
    EXAMPLE,
    MERGE_EXAMPLE,
    OPERATORS_EXAMPLE,
    PATCH_EXAMPLE,
    Document,
)

READ_CONDITIONS = {
    "parameters": [
        IF_NONE_MATCH_READ,
        IF_MODIFIED_SINCE,
        IF_MATCH,
        IF_UNMODIFIED_SINCE,
        LAST_EVENT_ID,
    ]
}
WRITE_CONDITIONS = {"parameters": [IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE, PREFER]}
PATCH_CONDITIONS = {"parameters": [*WRITE_CONDITIONS["parameters"], IDEMPOTENCY_KEY]}
DELETE_CONDITIONS = {"parameters": [IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE]}

EVENTS = """\
event: put
data: {"_id":"ada","etag":"5d41402abc4b2a76b9719d911017c592","document":{"_id":"ada","born":1815}}
id: 6b04cbff00000005.8266F2A1

"""
EXTENDED_EXAMPLE = {"_id": "ada", "name": "Ada Lovelace", "born": {"$numberInt": "1815"}}
# Swagger UI and generated clients ask for the first one.
JSON_FIRST: dict[str, Any] = {"application/json": {}}
EXTENDED: dict[str, Any] = {
    "application/ejson": {"schema": {"type": "object"}, "example": EXTENDED_EXAMPLE}
}
FEED = {"text/event-stream": {"schema": {"type": "string"}, "example": EVENTS}}

GET_DOCUMENT = ok(
    200,
    "The document, or the feed of its changes.",
    model=Document,
    headers=VALIDATORS | VARY_ACCEPT,
    content=JSON_FIRST | EXTENDED | FEED,
) | ok(304, "The client has the document already.", headers=VALIDATORS | VARY_ACCEPT)
HEAD_DOCUMENT = without_content(GET_DOCUMENT)
PUT_DOCUMENT = (
    # By default there is no content, and generated clients try to read what these declare.
    ok(200, "The document was replaced.", headers=VALIDATORS)
    | ok(201, "The document was created.", headers=VALIDATORS | LOCATION)
    | ok(
        "2XX",
        "200 or 201 with `Prefer: return=representation`: the body is the document.",
        model=Document,
        headers=VALIDATORS | LOCATION | PREFERRED,
    )
)
PATCH_DOCUMENT = (
    ok(200, "The new document.", model=Document, headers=VALIDATORS | PREFERRED | REPLAYED)
    | ok(
        201,
        "The document was created, with `upsert=true`.",
        model=Document,
        headers=VALIDATORS | LOCATION | PREFERRED | REPLAYED,
    )
    | ok(
        204,
        "The document was changed, and `return=minimal` was preferred, or the key or token lacks "
        "the scope `read`; it then gets no entity tag.",
        headers=VALIDATORS | REPLAYED,
    )
)
DELETE_DOCUMENT = ok(204, "The document was deleted.")
DOCUMENT_OPTIONS = ok(204, "The methods and patch formats.", headers=ALLOW | ACCEPT_PATCH)

# Client generators warn of each media type of a body that they do not know: the types of Extended
# JSON are named in words.
DOCUMENT_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "The document: any JSON object. Or, as `application/ejson`, Extended JSON.",
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Fields"},
                "example": EXAMPLE,
            }
        },
    }
}
PATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "The patch.",
        "required": True,
        "content": {
            "application/merge-patch+json": {
                "schema": {"$ref": "#/components/schemas/MergePatch"},
                "example": MERGE_EXAMPLE,
            },
            "application/json-patch+json": {
                "schema": {"$ref": "#/components/schemas/JsonPatch"},
                "example": [PATCH_EXAMPLE],
            },
            UPDATE_OPERATORS: {
                "schema": {"$ref": "#/components/schemas/UpdateOperators"},
                "example": OPERATORS_EXAMPLE,
            },
        },
    }
}
