"""Responses that are pages of documents."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlencode

import orjson
from fastapi import Request, Response

from service.store.queries import Page
from service.web.access import path_of_collection
from service.web.compression import coding_for, packed
from service.web.responses import text_of

MIN_PACKED_BYTES = 1400  # a smaller body fits into one packet uncompressed
MAX_LINK_BYTES = 4096  # clients may reject a longer header field


async def page_response(
    request: Request,
    page: Page,
    line: Callable[[bytes], bytes],
    total: int | None,
    media_type: str,
) -> Response:
    """The page, with each document as the JSON that `line` makes of it, and the number of documents
    that match unless that is None."""
    size = sum(map(len, page.documents))
    items = await text_of(size, lambda: b",".join(map(line, page.documents)))
    counted = b"" if total is None else b',"total":%d' % total
    body = b'{"items":[%s],"next":%s%s}' % (items, orjson.dumps(page.next), counted)
    headers = {"Vary": "Accept, Accept-Encoding"} | _link(request, page)
    if len(body) >= MIN_PACKED_BYTES and (coding := coding_for(request)):
        body = await asyncio.to_thread(packed, body, coding)
        headers["Content-Encoding"] = coding
    return Response(body, headers=headers, media_type=media_type)


def _link(request: Request, page: Page) -> dict[str, str]:
    """The address of the next page (RFC 8288), unless it is very long."""
    if page.next is None:
        return {}
    parameters = [item for item in request.query_params.multi_items() if item[0] != "after"]
    query = urlencode([*parameters, ("after", page.next)])
    link = f'<{path_of_collection(request)}?{query}>; rel="next"'
    return {"Link": link} if len(link) <= MAX_LINK_BYTES else {}
