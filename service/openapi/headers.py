"""The header fields of responses and requests."""

from typing import Any

from service.openapi.schemas import EXAMPLE_TAG


def header(description: str, example: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "string"}, "example": example}


ETAG = {"ETag": header("The document's strong entity tag, a hash of its fields.", EXAMPLE_TAG)}
LAST_MODIFIED = {
    "Last-Modified": header(
        "When the document was last written, if that is known.", "Mon, 23 Nov 2026 12:00:00 GMT"
    )
}
VALIDATORS = ETAG | LAST_MODIFIED
LOCATION = {"Location": header("The address of the new document.", "/stuff/ada")}
PREFERRED = {
    "Preference-Applied": header("The preference that was applied.", "return=representation"),
    "Content-Location": header("The address of the document in the body.", "/stuff/ada"),
    "Vary": header("The response depends on the request's Prefer.", "Prefer"),
}
REPLAYED = {
    "Idempotency-Replayed": header(
        "Only in the answer to a repetition: it is that of the first request.", "true"
    )
}
RETRY_AFTER = {"Retry-After": header("Seconds to wait before trying again.", "1")}
ALLOW = {"Allow": header("The methods.", "GET, HEAD, PUT, PATCH, DELETE, OPTIONS")}
ACCEPT_PATCH = {
    "Accept-Patch": header(
        "The formats of patches.",
        "application/merge-patch+json, application/json-patch+json, "
        "application/vnd.stuff.update-operators+json",
    )
}
VARY_ACCEPT = {"Vary": header("The response depends on the request's Accept.", "Accept")}
CHALLENGE = {"WWW-Authenticate": header("How to authenticate (RFC 6750).", 'Bearer realm="stuff"')}


# https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3, restricted to ASCII
ENTITY_TAGS = r'^(\*|(W/)?"[!#-~]*"( *, *(W/)?"[!#-~]*")*)$'
# https://www.rfc-editor.org/rfc/rfc9651#section-3.3.3, or without quotation marks
IDEMPOTENCY_KEYS = r'^("([ !#-\[\]-~]|\\["\\]){1,255}"|[!#-+\--~]{1,255})$'


def parameter(
    name: str, description: str, example: str, pattern: str | None = None
) -> dict[str, Any]:
    """An optional header. Its example is in the description, because Swagger UI would send it."""
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": f"{description} For example `{example}`.",
        "schema": {"type": "string"} | ({"pattern": pattern} if pattern else {}),
    }


IF_MATCH = parameter(
    "If-Match",
    "412 unless the document has one of these entity tags, which need the scope `read`; `*` is any "
    "document that exists.",
    EXAMPLE_TAG,
    ENTITY_TAGS,
)
IF_NONE_MATCH = parameter(
    "If-None-Match",
    "412 if the document has one of these entity tags, which need the scope `read`; `*` is any "
    "document that exists.",
    "*",
    ENTITY_TAGS,
)
IF_NONE_MATCH_READ = parameter(
    "If-None-Match",
    "Entity tags of the client's copies: 304 if the document still has one of them.",
    EXAMPLE_TAG,
    ENTITY_TAGS,
)
IF_MODIFIED_SINCE = parameter(
    "If-Modified-Since",
    "304 if the document is known not to have changed since.",
    "Mon, 23 Nov 2026 12:00:00 GMT",
)
IF_UNMODIFIED_SINCE = parameter(
    "If-Unmodified-Since",
    "412 if the document is known to have changed since. Needs the scope `read`.",
    "Mon, 23 Nov 2026 12:00:00 GMT",
)
PREFER = parameter(
    "Prefer",
    "What to return (RFC 7240): `return=representation` for the document, which needs the scope "
    "`read`, or `return=minimal`.",
    "return=representation",
)
IDEMPOTENCY_KEY = parameter(
    "Idempotency-Key",
    "A new value for each request, such as a UUID, in quotation marks. The request can then be "
    "repeated with the same value: it is carried out once, and each repetition within 24 hours "
    "gets the first answer. Needs a database with transactions, else 501.",
    '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
    IDEMPOTENCY_KEYS,
)
LAST_EVENT_ID = parameter(
    "Last-Event-ID",
    "For the feed: the id of the event to resume after. Browsers send it when they reconnect.",
    "6b04cbff00000005.8266F2A1",
)
