"""What the operations of the collection answer and take."""

from typing import Any

from service import errors
from service.openapi.operations import (
    ACCEPT_ENCODING,
    ALLOW,
    FEED,
    FEED_PROBLEMS,
    JSON_FIRST,
    LAST_EVENT_ID,
    LOCATION,
    PREFERRED,
    REFUSED,
    UNAVAILABLE,
    VALIDATORS,
    header,
    ok,
    problem,
    without_content,
)
from service.openapi.schemas import EXAMPLE, Created, Deleted, DocumentPage, LoadReport

NDJSON = "application/x-ndjson"
LINES = """\
{"_id": "ada", "name": "Ada Lovelace"}
{"_id": "charles", "name": "Charles Babbage"}
"""

FEED_POSITION = {
    "parameters": [
        LAST_EVENT_ID,
    ]
}
VARY = {"Vary": header("That the answer depends on what is accepted.", "Accept")}
LINK = {
    "Link": header(
        "The address of the next page, if there is one (RFC 8288); left out if it is very long.",
        '</stuff?after=q3wPoyTC>; rel="next"',
    )
}
INVALID_QUERY = problem(
    errors.InvalidParameter,
    "A parameter is not valid; for a filter the problem points to the place in it.",
)
TIMEOUT = problem(errors.QueryTimeout, "The database could not finish in time.")

GET_DOCUMENTS = (
    ok(
        200,
        "A page, a stream with a document a line, or the feed of all changes.",
        model=DocumentPage,
        headers=VARY | LINK,
        content=JSON_FIRST | {NDJSON: {"schema": {"type": "string"}, "example": LINES}} | FEED,
    )
    | problem(errors.NotAcceptable, "The client accepts none of the formats.", VARY)
    | INVALID_QUERY
    | UNAVAILABLE
    | TIMEOUT
    | FEED_PROBLEMS
)
HEAD_DOCUMENTS = without_content(
    {status: response for status, response in GET_DOCUMENTS.items() if status not in FEED_PROBLEMS}
)
CREATE_DOCUMENT = (
    ok(
        # Of several statuses generators take the lowest for the type of the answer, and a range for
        # the highest: here that of a single document is the usual one.
        "2XX",
        "200: the lines were read, and stored unless they are named as failed.",
        model=LoadReport,
    )
    | ok(
        201,
        "The document was created. The body is its id, or the document if that is preferred.",
        model=Created,
        headers=VALIDATORS | LOCATION | PREFERRED,
    )
    | REFUSED
    | problem(
        errors.UnsupportedMediaType,
        "The body is neither `application/json` nor `application/x-ndjson`, in UTF-8.",
        {"Accept": header("The media types to send.", f"application/json, {NDJSON}")}
        | ACCEPT_ENCODING,
    )
)
DELETE_DOCUMENTS = (
    ok(200, "How many documents were deleted.", model=Deleted)
    | INVALID_QUERY
    | UNAVAILABLE
    | TIMEOUT
)
COLLECTION_OPTIONS = ok(204, "What can be done.", headers=ALLOW)

NEW_DOCUMENTS_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "The document: any JSON object. Or many of them, a line each.",
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Fields"},
                "example": EXAMPLE,
            },
            NDJSON: {"schema": {"type": "string", "format": "binary"}, "example": LINES},
        },
    }
}
