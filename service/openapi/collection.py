"""The responses, header fields and bodies of the collection's operations."""

from typing import Any

from service.openapi.document import EXTENDED_EXAMPLE, FEED, JSON_FIRST
from service.openapi.headers import (
    ALLOW,
    IDEMPOTENCY_KEY,
    LAST_EVENT_ID,
    LOCATION,
    PREFER,
    PREFERRED,
    REPLAYED,
    VALIDATORS,
    VARY_ACCEPT,
    header,
)
from service.openapi.responses import ok, without_content
from service.openapi.schemas import EXAMPLE, Deleted, Document, DocumentPage, LoadReport

NDJSON = "application/x-ndjson"
LINES = """\
{"_id": "ada", "name": "Ada Lovelace"}
{"_id": "charles", "name": "Charles Babbage"}
"""
NDEJSON = "application/x-ndejson"
EXTENDED_LINES = """\
{"_id": "ada", "born": {"$numberInt": "1815"}}
{"_id": {"$oid": "65f000000000000000000000"}, "born": {"$date": {"$numberLong": "-4861382400000"}}}
"""
EXTENDED_PAGE: dict[str, Any] = {
    "application/ejson": {
        "schema": {"type": "object"},
        "example": {"items": [EXTENDED_EXAMPLE], "next": None},
    }
}

CREATION = {"parameters": [PREFER, IDEMPOTENCY_KEY]}
FEED_POSITION = {"parameters": [LAST_EVENT_ID]}
LINK = {
    "Link": header(
        "The address of the next page, if there is one (RFC 8288); left out if it is very long.",
        '</stuff?after=q3wPoyTC>; rel="next"',
    )
}

GET_DOCUMENTS = ok(
    200,
    "A page, a stream with one document per line, or the feed of all changes.",
    model=DocumentPage,
    headers=VARY_ACCEPT | LINK,
    content=JSON_FIRST
    | {NDJSON: {"schema": {"type": "string"}, "example": LINES}}
    | EXTENDED_PAGE
    | {NDEJSON: {"schema": {"type": "string"}, "example": EXTENDED_LINES}}
    | FEED,
)
HEAD_DOCUMENTS = without_content(GET_DOCUMENTS)
CREATE_DOCUMENT = ok(
    # Client generators take the type of a response from the lowest status, and a range counts as
    # the highest. So they take that of a single document, the usual case.
    "2XX",
    "200: the lines were read; those that are not listed as failed are stored.",
    model=LoadReport,
) | ok(
    201,
    "The document was created. The body has its `_id`, a UUIDv7, and nothing else, or the whole "
    "document if that is preferred.",
    model=Document,
    headers=VALIDATORS | LOCATION | PREFERRED | REPLAYED,
)
DELETE_DOCUMENTS = ok(200, "How many documents were deleted.", model=Deleted)
COLLECTION_OPTIONS = ok(204, "The methods.", headers=ALLOW)

NEW_DOCUMENTS_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "The document: any JSON object. Or many documents, one per line. "
        "`application/ejson` and `application/x-ndejson` are the same in Extended JSON.",
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
