"""The change feed as server-sent events.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import orjson
from fastapi import Request
from fastapi.sse import format_sse_event

from service.documents import codec, layout
from service.store.feed import Batch, Change, End, Feed, Position
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
    """The feed of all documents, or of one. Raises what `Feed.follow` raises.

    The response starts before it is known where the feed begins, which may take long if the
    database has to be asked what has happened since the position. A request that waits for that
    would hold one of the places of `STUFF_MAX_REQUESTS`, and `EventSource` gives up for good on any
    other status than 200.
    """
    chunks = await begun(_events(request, feed, after, id, filter))
    return DocumentStream(chunks, headers=HEADERS, media_type=EVENT_STREAM)


async def _events(
    request: Request,
    feed: Feed,
    after: Position | None,
    id: str | None,
    filter: Mapping[str, Any] | None,
) -> AsyncGenerator[bytes, None]:
    async with feed.follow(id=id, filter=filter, after=after) as changes:
        yield b""  # it is followed: the response can start
        async with aclosing(changes.batches(KEEP_ALIVE)) as batches:
            async for batch in batches:
                if not batch.changes:
                    yield _mark(batch)
                for chunk in _chunks(batch.changes):
                    yield chunk
        if changes.end is not None:
            yield _last(changes.end, request)


def _chunks(changes: Sequence[Change]) -> Iterable[bytes]:
    """The events, in few pieces."""
    start = size = 0
    for index, change in enumerate(changes, 1):
        size += len(change.wire)
        if size >= CHUNK_BYTES or index == len(changes):
            yield b"".join(change.wire for change in changes[start:index])
            start, size = index, 0


def _mark(batch: Batch) -> bytes:
    """No event, but where to go on: an id without data is remembered too."""
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
    """What is said at the end."""
    if end.kind == "closed":
        return format_sse_event(comment=end.detail)
    if end.problem is None:
        data = {"type": f"{TYPE_PREFIX}feed-{end.kind}", "detail": end.detail}
        return format_sse_event(event=end.kind, data_str=orjson.dumps(data).decode())
    # An empty id makes browsers forget the last one: when they come back, they begin anew.
    data = problem_body(end.problem, raw_path(request))
    return format_sse_event(event=end.kind, id="", data_str=orjson.dumps(data).decode())
