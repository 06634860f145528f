"""The header fields of responses, and those that operations take."""

from typing import Any

from service.openapi.schemas import EXAMPLE_TAG


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
VARY_ACCEPT = {"Vary": header("The response depends on the request's Accept.", "Accept")}
CHALLENGE = {"WWW-Authenticate": header("How to authenticate (RFC 6750).", 'Bearer realm="stuff"')}


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
