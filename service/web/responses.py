"""Responses with documents, and responses to writes."""

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import Literal, ParamSpec, TypeAlias
from urllib.parse import quote

from fastapi import Request, Response

from service.documents.codec import Dumps
from service.documents.ids import Id, canonical
from service.documents.layout import Stored
from service.store.points import Written
from service.web.access import path_of_collection

JSON = "application/json"
NDJSON = "application/x-ndjson"
EJSON = "application/ejson"
"""Extended JSON v2, canonical. No standard registers a name; Atlas uses this one."""
NDEJSON = "application/x-ndejson"
"""A document in Extended JSON on each line."""

LARGE = 256 * 1024
"""Bytes of BSON: writing so much of some types stops other requests for too long."""

Parameters = ParamSpec("Parameters")
Preference = Literal["minimal", "representation"]
Field: TypeAlias = tuple[bytes, bytes]
"""The name, in lower case, and the value of a header field."""


async def text_of(
    size: int,
    write: Callable[Parameters, bytes],
    *args: Parameters.args,
    **kwargs: Parameters.kwargs,
) -> bytes:
    """What `write` makes of documents with `size` bytes; of large ones in a thread.

    What compiled code writes takes no longer for that, and types that JSON lacks are written value
    by value in Python, between which the interpreter runs other threads.
    """
    if size <= LARGE:
        return write(*args, **kwargs)
    return await asyncio.to_thread(write, *args, **kwargs)


class DocumentResponse(Response):
    """A response whose header fields are bytes already, with names in lower case.

    Starlette encodes and searches the fields of each response, which takes longer than writing a
    small document as JSON.
    """

    def __init__(self, status: int, fields: list[Field], body: bytes = b"") -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = fields
        if status not in (204, 304):  # RFC 9110, section 8.6
            fields.append((b"content-length", b"%d" % len(body)))


def validators(stored: Stored, etag: str | None = None) -> list[Field]:
    """The validators of a document (RFC 9110, section 8.8), with `etag` in place of its own tag."""
    fields = [(b"etag", f'"{etag or stored.etag}"'.encode())]
    if stored.updated_at is not None:
        # Another machine's clock may be ahead (RFC 9110, section 8.8.2.1).
        second = min(stored.updated_at.timestamp(), time.time()) // 1
        fields.append((b"last-modified", _http_date(second)))
    return fields


@lru_cache(maxsize=1024)
def _http_date(second: float) -> bytes:
    return formatdate(second, usegmt=True).encode()


async def written_response(
    request: Request,
    written: Written,
    dumps: Dumps,
    preferred: Preference | None,
    *,
    minimum: bytes = b"",
    default: Preference = "minimal",
) -> Response:
    """201 with `Location` for a document that was created, 200 for one that was changed.

    The body is the document, as `dumps` writes it, or `minimum`, by the preference (RFC 7240,
    section 4.2) or else by the default. An empty minimum that is not the default is a 204.
    """
    fields = [*validators(written.stored), (b"vary", b"Prefer")]
    if written.created:
        fields.append((b"location", address(request, written.id).encode()))
    if preferred is not None:
        fields.append((b"preference-applied", b"return=" + preferred.encode()))
    chosen = preferred or default
    if chosen == "representation":
        fields.append((b"content-location", address(request, written.id).encode()))
        document = written.stored.bson
        body = await text_of(len(document), dumps, document, None, None)
    else:
        body = minimum
    status = 201 if written.created else 200 if chosen == default or body else 204
    if body:
        fields.append((b"content-type", JSON.encode()))
    return DocumentResponse(status, fields, body)


def address(request: Request, id: Id) -> str:
    """The path of a document."""
    return f"{path_of_collection(request)}/{quote(canonical(id), safe='')}"
