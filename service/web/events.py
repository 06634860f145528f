"""The change feed as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

import orjson
from fastapi import Request
from fastapi.sse import format_sse_event

from service.documents import codec, layout
from service.errors import FeedGone
from service.store.feed import Change, Feed, Position
from service.store.feed.channel import Closed, Dropped
from service.web.bodies import header
from service.web.negotiation import prefers
from service.web.problems import TYPE_PREFIX, problem_body, raw_path
from service.web.responses import JSON
from service.web.streams import DocumentStream, begun

EVENT_STREAM = "text/event-stream"
KEEP_ALIVE = 15.0  # seconds
RECONNECT = 1000  # milliseconds that a client waits before it comes back
CHUNK_BYTES = 256 * 1024
HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "X-Accel-Buffering": "no",  # proxies shall not wait for more
}


def wants_events(request: Request) -> bool:
    """Whether the client asks for the feed rather than for JSON, as `EventSource` does."""
    accept = header(request, b"accept")
    return accept is not None and EVENT_STREAM in accept and prefers(accept, EVENT_STREAM, JSON)


def encode_change(change: Change) -> bytes:
    """The event of a change."""
    key = codec.dumps(change.key)[:-1]
    if change.document is None:
        kind, data = "delete", key + b',"etag":null,"document":null}'
    else:
        stored = layout.read(change.document)
        kind = "put"
        data = b'%s,"etag":"%s","document":%s}' % (
            key,
            stored.etag.encode(),
            codec.dumps(change.document),
        )
    return format_sse_event(event=kind, id=str(change.position), data_str=data.decode())


async def feed_response(
    request: Request,
    feed: Feed,
    after: Position | None,
    *,
    id: str | None = None,
    filter: Mapping[str, Any] | None = None,
) -> DocumentStream:
    """The feed of all documents, or of one. Raises what the feed raises at its beginning."""
    chunks = await begun(_events(request, feed, after, id, filter))
    return DocumentStream(chunks, headers=HEADERS, media_type=EVENT_STREAM)


async def _events(
    request: Request,
    feed: Feed,
    after: Position | None,
    id: str | None,
    filter: Mapping[str, Any] | None,
) -> AsyncGenerator[bytes, None]:
    async with feed.subscription(id, filter) as (channel, subscription):
        async with aclosing(channel.follow(subscription, after)) as past:
            first: list[Change] = await anext(past, [])
            position = subscription.position if after is None else after
            yield _mark("The feed begins.", position, RECONNECT)
            for chunk in _chunks(first):
                yield chunk
            async for changes in past:
                for chunk in _chunks(changes):
                    yield chunk
        while True:
            try:
                changes = await subscription.next(KEEP_ALIVE)
            except Closed:
                yield format_sse_event(comment="The server stops.")
                return
            except Dropped:
                yield _notice("dropped", "The feed is faster than it is read. Come back to go on.")
                return
            except FeedGone as gone:
                body = problem_body(gone, raw_path(request))
                yield format_sse_event(event="gone", data_str=orjson.dumps(body).decode())
                return
            if not changes:
                yield _mark("Nothing has changed.", subscription.position)
            for chunk in _chunks(changes):
                yield chunk


def _chunks(changes: list[Change]) -> list[bytes]:
    """The events, in few pieces."""
    chunks: list[bytes] = []
    start = size = 0
    for index, change in enumerate(changes, 1):
        size += len(change.wire)
        if size >= CHUNK_BYTES or index == len(changes):
            chunks.append(b"".join(change.wire for change in changes[start:index]))
            start, size = index, 0
    return chunks


def _mark(comment: str, position: Position | None, retry: int | None = None) -> bytes:
    """No event, but where to go on: an id without data is remembered too."""
    id = None if position is None else str(position)
    return format_sse_event(comment=comment, id=id, retry=retry)


def _notice(kind: str, detail: str) -> bytes:
    data = {"type": f"{TYPE_PREFIX}feed-{kind}", "detail": detail}
    return format_sse_event(event=kind, data_str=orjson.dumps(data).decode())
