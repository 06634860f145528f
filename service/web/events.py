"""The change feed as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import orjson
from fastapi import Request
from fastapi.sse import format_sse_event
from starlette.types import Message, Receive, Scope, Send

from service.documents import layout
from service.documents.codec import Dumps
from service.documents.ids import Id
from service.errors import FeedFull, FeedUnsupported, raises
from service.observability import metrics
from service.store.feed import Batch, Change, End, Feed, Position
from service.web.headers import header
from service.web.negotiation import prefers
from service.web.problems import TYPE_PREFIX, problem_body, raw_path
from service.web.responses import EJSON, JSON
from service.web.streams import DocumentStream

EVENT_STREAM = "text/event-stream"
KEEP_ALIVE = 15.0  # seconds
RECONNECT = 1000  # milliseconds that a client waits before it reconnects
CHUNK_BYTES = 256 * 1024
HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "X-Accel-Buffering": "no",  # proxies must not buffer events
}


def wants_events(request: Request) -> bool:
    """Whether the client asks for the feed rather than for a document, as `EventSource` does."""
    accept = header(request, b"accept")
    return (
        accept is not None
        and EVENT_STREAM in accept
        and prefers(accept, EVENT_STREAM, JSON)
        and prefers(accept, EVENT_STREAM, EJSON)
    )


def encode_change(dumps: Dumps, change: Change) -> bytes:
    """The event of a change, with the id and the document as `dumps` writes them."""
    key = dumps(change.key, None, None)[:-1]
    if change.document is None:
        kind, data = "delete", key + b',"etag":null,"document":null}'
    else:
        stored = layout.read(change.document)
        kind = "put"
        data = b'%s,"etag":"%s","document":%s}' % (
            key,
            stored.etag.encode(),
            dumps(change.document, None, None),
        )
    return format_sse_event(event=kind, id=str(change.position), data_str=data.decode())


class FeedResponse(DocumentStream):
    """A response that starts at once, in the step of the event loop in which its request arrives.

    A request without a response counts towards `STUFF_MAX_REQUESTS`. When many followers return at
    the same moment, most of them would be refused, and `EventSource` gives up for good on any
    status but 200.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_rest(message: Message) -> None:
            if message["type"] != "http.response.start":
                await send(message)

        async with aclosing(self._chunks):
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            await super().__call__(scope, receive, send_rest)


@raises(FeedUnsupported, FeedFull)
async def feed_response(
    request: Request,
    feed: Feed,
    after: Position | None,
    *,
    id: Id | None = None,
    filter: Mapping[str, Any] | None = None,
) -> FeedResponse:
    """The feed of all documents, or of one. Raises what `Feed.follow` raises. If the feed turns out
    later to be unable to resume after the position, that is an event."""
    chunks = _events(request, feed, after, id, filter)
    await anext(chunks)
    return FeedResponse(chunks, headers=HEADERS, media_type=EVENT_STREAM)


async def _events(
    request: Request,
    feed: Feed,
    after: Position | None,
    id: Id | None,
    filter: Mapping[str, Any] | None,
) -> AsyncGenerator[bytes, None]:
    """The first chunk is empty, and comes when the subscription has begun."""
    async with feed.follow(id=id, filter=filter, after=after) as changes:
        yield b""
        async with aclosing(changes.batches(KEEP_ALIVE)) as batches:
            async for batch in batches:
                if not batch.changes:
                    yield _mark(batch)
                for chunk in _chunks(batch.changes):
                    yield chunk
        if changes.end is not None:
            yield _last(changes.end, request)


def _chunks(changes: Sequence[Change]) -> Iterable[bytes]:
    """The events, joined to few chunks."""
    start = size = 0
    for index, change in enumerate(changes, 1):
        size += len(change.wire)
        if size >= CHUNK_BYTES or index == len(changes):
            yield b"".join(change.wire for change in changes[start:index])
            start, size = index, 0


def _mark(batch: Batch) -> bytes:
    """A comment with the position: clients remember an id without data too."""
    comment = {
        "begins": "The feed begins.",
        "current": "Nothing has changed.",
        "behind": "Reading what has happened since.",
        "silent": f"The database has not answered for {batch.silence:.0f} seconds.",
    }[batch.state]
    return format_sse_event(
        comment=comment,
        id=None if batch.position is None else str(batch.position),
        retry=RECONNECT if batch.state == "begins" else None,
    )


def _last(end: End, request: Request) -> bytes:
    """The event or comment at the end of the feed."""
    if end.kind == "closed":
        return format_sse_event(comment=end.detail)
    if end.problem is None:
        data = {"type": f"{TYPE_PREFIX}feed-{end.kind}", "detail": end.detail}
        return format_sse_event(event=end.kind, data_str=orjson.dumps(data).decode())
    # An empty id makes browsers forget the last one, so that they start afresh when they reconnect.
    metrics.problems.labels(end.problem.slug).inc()
    data = problem_body(end.problem, raw_path(request))
    return format_sse_event(event=end.kind, id="", data_str=orjson.dumps(data).decode())
