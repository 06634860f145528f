"""Responses to clients that may write, but not read.

They learn whether their write succeeded, and so whether there is a document under the id, and
whether it has the path that an operation of a JSON Patch needs. They see no content. A PUT
or a POST answers with the entity tag of what was sent. The entity tag of a patched document would
confirm a guess of the rest of it.
"""

from fastapi import Request, Response

from service.errors import (
    DocumentTooLarge,
    IdempotencyKeyReused,
    Invalid,
    InvalidPatch,
    StuffError,
    TooLarge,
)
from service.store.points import Written
from service.web.responses import DocumentResponse, Preference, address, validators


def blind_response(request: Request, written: Written, preference: Preference | None) -> Response:
    """The response to a patch: 204, or 201 for a document that was created, without content, as for
    `Prefer: return=minimal`."""
    fields = [field for field in validators(written.stored) if field[0] != b"etag"]
    fields.append((b"vary", b"Prefer"))
    if preference == "minimal":
        fields.append((b"preference-applied", b"return=minimal"))
    if written.created:
        fields.append((b"location", address(request, written.id).encode()))
    return DocumentResponse(201 if written.created else 204, fields)


def blind_fault(error: StuffError) -> StuffError:
    """The error of a patch, without what it tells about the content. That there is an error tells
    that the patch does not fit: so the client can learn whether a path exists (SECURITY.md)."""
    if isinstance(error, TooLarge):
        return DocumentTooLarge("With this patch the document is too large.", error.limit)
    if isinstance(error, Invalid) and not isinstance(error, IdempotencyKeyReused):
        return InvalidPatch(
            "The patch does not fit the document, or the result cannot be stored. What is wrong is "
            "only told to keys and tokens with the scope 'read'."
        )
    return error
