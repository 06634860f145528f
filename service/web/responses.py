"""Responses with documents, and responses to writes."""

import asyncio
import time
from collections.abc import Callable
from email.utils import formatdate
from functools import lru_cache
from typing import Literal
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

Preference = Literal["minimal", "representation"]


async def text_of(size: int, write: Callable[[], bytes]) -> bytes:
    """What `write` makes of documents with `size` bytes; of large ones in a thread.

    What compiled code writes takes no longer for that, and types that JSON lacks are written value
    by value in Python, between which the interpreter runs other threads.
    """
    return write() if size <= LARGE else await asyncio.to_thread(write)


def validators(stored: Stored, etag: str | None = None) -> dict[str, str]:
    """The validators of a document (RFC 9110, section 8.8), with `etag` in place of its own tag."""
    headers = {"ETag": f'"{etag or stored.etag}"'}
    if stored.updated_at is not None:
        # Another machine's clock may be ahead (RFC 9110, section 8.8.2.1).
        headers["Last-Modified"] = _http_date(min(stored.updated_at.timestamp(), time.time()) // 1)
    return headers


@lru_cache(maxsize=1024)
def _http_date(second: float) -> str:
    return formatdate(second, usegmt=True)


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
    headers = {**validators(written.stored), "Vary": "Prefer"}
    if written.created:
        headers["Location"] = address(request, written.id)
    if preferred is not None:
        headers["Preference-Applied"] = f"return={preferred}"
    chosen = preferred or default
    if chosen == "representation":
        headers["Content-Location"] = address(request, written.id)
        document = written.stored.bson
        body = await text_of(len(document), lambda: dumps(document, None, None))
    else:
        body = minimum
    status = 201 if written.created else 200 if chosen == default or body else 204
    return Response(body, status, headers, JSON if body else None)


def address(request: Request, id: Id) -> str:
    """The path of a document."""
    return f"{path_of_collection(request)}/{quote(canonical(id), safe='')}"
