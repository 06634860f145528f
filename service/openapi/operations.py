"""What operations take in headers and bodies, and what they answer, headers included."""

from typing import Any

from service import errors
from service.errors import StuffError
from service.openapi.schemas import (
    EXAMPLE,
    EXAMPLE_TAG,
    MERGE_EXAMPLE,
    PATCH_EXAMPLE,
    Document,
)
from service.web import problems

Responses = dict[int | str, dict[str, Any]]


def header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


ETAG = {"ETag": header("The document's strong entity tag, a hash of its fields.", EXAMPLE_TAG)}
LAST_MODIFIED = {
    "Last-Modified": header(
        "When the document was last written, if it is known.", "Mon, 23 Nov 2026 12:00:00 GMT"
    )
}
VALIDATORS = ETAG | LAST_MODIFIED
LOCATION = {"Location": header("The address of the new document.", "/stuff/ada")}
PREFERRED = {
    "Preference-Applied": header("The preference that was met.", "return=representation"),
    "Content-Location": header("The address of the document in the body.", "/stuff/ada"),
    "Vary": header("That the answer depends on the preference.", "Prefer"),
}
RETRY_AFTER = {"Retry-After": header("Seconds to wait before trying again.", "1")}
ALLOW = {"Allow": header("The methods.", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")}
ACCEPT_PATCH = {
    "Accept-Patch": header(
        "The formats of patches.", "application/merge-patch+json, application/json-patch+json"
    )
}
ACCEPT_ENCODING = {"Accept-Encoding": header("The content codings to send.", "gzip, identity")}


# https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3, without what is not ASCII
ENTITY_TAGS = r'^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$'


def parameter(
    name: str, description: str, example: str, pattern: str | None = None
) -> dict[str, Any]:
    """An optional header. Its example is told in words: Swagger UI would send it."""
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": f"{description} For example `{example}`.",
        "schema": {"type": "string"} | ({"pattern": pattern} if pattern else {}),
    }


IF_MATCH = parameter(
    "If-Match",
    "Only if the document has one of these entity tags, or, with `*`, only if it exists; else 412.",
    EXAMPLE_TAG,
    ENTITY_TAGS,
)
IF_NONE_MATCH = parameter(
    "If-None-Match",
    "Only if the document has none of these entity tags, or, with `*`, only if there is none.",
    "*",
    ENTITY_TAGS,
)
IF_NONE_MATCH_READ = parameter(
    "If-None-Match",
    "The entity tags of what the client has already: 304 if it is one.",
    EXAMPLE_TAG,
    ENTITY_TAGS,
)
IF_MODIFIED_SINCE = parameter(
    "If-Modified-Since",
    "304 if the document has not changed since, as far as that is known.",
    "Mon, 23 Nov 2026 12:00:00 GMT",
)
IF_UNMODIFIED_SINCE = parameter(
    "If-Unmodified-Since",
    "Only if the document has not changed since, as far as that is known; else 412.",
    "Mon, 23 Nov 2026 12:00:00 GMT",
)
PREFER = parameter(
    "Prefer",
    "What to answer (RFC 7240): `return=representation`, the document, or `return=minimal`.",
    "return=representation",
)
LAST_EVENT_ID = parameter(
    "Last-Event-ID",
    "Of the feed: the id of the event to go on behind. Browsers send it when they come back.",
    "6b04cbff00000005.8266F2A1",
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
DELETE_CONDITIONS = {"parameters": [IF_MATCH, IF_NONE_MATCH, IF_UNMODIFIED_SINCE]}
PREFERENCE = {"parameters": [PREFER]}


def ok(status: int | str, description: str, **more: Any) -> Responses:
    return {status: {"description": description} | more}


def problem(
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


def without_content(responses: Responses) -> Responses:
    """The responses of HEAD: the same, without a body."""
    return {
        status: {key: value for key, value in response.items() if key not in ("content", "model")}
        for status, response in responses.items()
    }


UNAVAILABLE = problem(
    errors.DatabaseUnavailable, "The database does not answer; try again shortly.", RETRY_AFTER
)
MALFORMED = problem(
    errors.MalformedJSON,
    "The body is not JSON, the path is not UTF-8, or a precondition is malformed.",
)
MALFORMED_HEAD = problem(
    errors.InvalidPrecondition, "The path is not UTF-8, or a precondition is malformed."
)
INVALID = problem(errors.InvalidId, "The id or a parameter is not valid.")
REFUSALS = problem(
    errors.Unauthorized,
    "The server wants an API key, and this is none.",
    {"WWW-Authenticate": header("How to authenticate (RFC 6750).", 'Bearer realm="stuff"')},
) | problem(errors.Forbidden, "The API key does not have the scope that this needs.")
# What any operation may answer, whatever it is.
EVERYWHERE = (
    problem(errors.UrlTooLong, "The address has more bytes than the server reads.")
    | problem(errors.HeadersTooLarge, "The header fields have more bytes than the server reads.")
    | problem(errors.Overloaded, "Too many requests at once; try again shortly.", RETRY_AFTER)
)
NOT_FOUND = problem(errors.DocumentNotFound, "There is no such document.")
FAILED = problem(
    errors.PreconditionFailed, "A precondition failed; the problem gives the current entity tag."
)
TOO_LARGE = problem(
    errors.BodyTooLarge, "The body is larger than the service reads, or than MongoDB stores."
)
TOO_SLOW = problem(errors.RequestTimeout, "The body did not arrive in time.")
REFUSED = (
    MALFORMED
    | TOO_SLOW
    | problem(
        errors.DuplicateKey,
        "A unique index of the collection holds a value of the document already.",
    )
    | TOO_LARGE
    | problem(
        errors.UnsupportedMediaType,
        "The body is not `application/json` in UTF-8.",
        {"Accept": header("The media type to send.", "application/json")} | ACCEPT_ENCODING,
    )
    | problem(
        errors.InvalidDocument, "The id is not valid, or the JSON cannot be stored as a document."
    )
    | UNAVAILABLE
)

EVENTS = """\
event: put
id: 6b04cbff00000005.8266F2A1
data: {"_id":"ada","etag":"5d41402abc4b2a76b9719d911017c592","document":{"_id":"ada","born":1815}}

"""
# The first is what Swagger UI and generated clients ask for.
JSON_FIRST: dict[str, Any] = {"application/json": {}}
FEED = {"text/event-stream": {"schema": {"type": "string"}, "example": EVENTS}}
FEED_PROBLEMS = problem(
    errors.FeedGone, "The feed cannot go on behind this event; begin anew."
) | problem(errors.FeedUnsupported, "The database has no change streams.")

GET_DOCUMENT = (
    ok(
        200,
        "The document, or the feed of its changes.",
        model=Document,
        headers=VALIDATORS,
        content=JSON_FIRST | FEED,
    )
    | ok(304, "The document is one that the client has.", headers=VALIDATORS)
    | MALFORMED_HEAD
    | NOT_FOUND
    | FAILED
    | INVALID
    | UNAVAILABLE
    | FEED_PROBLEMS
)
HEAD_DOCUMENT = without_content(
    {status: response for status, response in GET_DOCUMENT.items() if status not in FEED_PROBLEMS}
)
PUT_DOCUMENT = (
    # No content is declared, since by default there is none, and clients would try to read it.
    ok(
        200,
        "The document was replaced. With `Prefer: return=representation` the body is the document.",
        headers=VALIDATORS | PREFERRED,
    )
    | ok(
        201,
        "The document was created. With `Prefer: return=representation` the body is the document.",
        headers=VALIDATORS | LOCATION | PREFERRED,
    )
    | REFUSED
    | FAILED
)
PATCH_DOCUMENT = (
    ok(200, "The new document.", model=Document, headers=VALIDATORS | PREFERRED)
    | ok(204, "The document was changed, and the minimum preferred.", headers=VALIDATORS)
    | MALFORMED
    | NOT_FOUND
    | TOO_SLOW
    | problem(
        errors.PatchTestFailed,
        "A `test` of the patch failed, or a unique index holds a value of the document already.",
    )
    | FAILED
    | TOO_LARGE
    | problem(
        errors.UnsupportedMediaType,
        "The body is no patch of a supported format.",
        ACCEPT_PATCH | ACCEPT_ENCODING,
    )
    | problem(
        errors.InvalidPatch,
        "The id is not valid, the patch does not apply, or its result cannot be stored.",
    )
    | UNAVAILABLE
)
DELETE_DOCUMENT = (
    ok(204, "The document was deleted.")
    | MALFORMED_HEAD
    | NOT_FOUND
    | FAILED
    | INVALID
    | UNAVAILABLE
)
DOCUMENT_OPTIONS = (
    ok(204, "What can be done.", headers=ALLOW | ACCEPT_PATCH) | MALFORMED_HEAD | INVALID
)
LIVENESS = ok(200, "The process lives.")
READINESS = ok(200, "The database answers.") | UNAVAILABLE

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
        },
    }
}
