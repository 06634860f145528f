"""The feed, as `service.web.events` and `service.store.feed` send it."""

from docs._reference.markdown import code, document, fenced, table
from service.openapi.document import EVENTS
from service.store.feed import channel, feed, positions, subscription
from service.web.events import HEADERS, KEEP_ALIVE, RECONNECT

MIB = 1024 * 1024
INTRODUCTION = """\
`GET /stuff` and `GET /stuff/{id}` with `Accept: text/event-stream` are the feed of changes, as
[server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html). [Follow
changes](../how-to/follow.md) shows how to use it. An event looks like this:"""

EVENT_ROWS = [
    ["put", "A document was created, replaced or patched, by whomever.",
     "`_id`, `etag`, and `document` as it is after the change, or after a later one"],
    ["delete", "A document was deleted.", "`_id`; `etag` and `document` are null"],
    ["gone", "The feed cannot continue there. It ends, and the next one begins afresh.",
     "the problem [`feed-gone`](problems.md#feed-gone)"],
    ["dropped", "The follower or the database is too slow. The feed ends, and can be resumed.",
     "`type` and `detail`"],
]  # fmt: skip
COMMENTS = """\
## Comments

| comment | when |
| --- | --- |
| `The feed begins.` | at the start, with the id of the position |
| `Reading what has happened since.` | while the follower catches up with what it missed |
| `Nothing has changed.` | after {idle:g} seconds without a change, with the id of the position |
| `The database has not answered for N seconds.` | after {quiet:g} seconds without an answer |
| `The server stops.` | at the end, when the service stops |"""

RESUMING = """\
## Positions

The `id` of an event is a position: send it as `Last-Event-ID`, or as `?last_event_id=`, to get what
has happened since, without a gap and without a repetition. It has up to {longest:,} characters, and
is the same for all followers, through all processes. Browsers send it by themselves after
{pause:,} milliseconds (`retry`).

Without a position, a feed has every change from when its response begins. Changes of the moment
before may come first: the feed lags a little behind the writes."""


def page() -> str:
    limits = [
        ["followers of a process", "`STUFF_MAX_SUBSCRIBERS`; one more is a 503"],
        ["different filters that are followed at once", str(feed.MAX_FILTERS)],
        [
            "changes that wait for a follower, before it is dropped",
            f"{subscription.QUEUE_COUNT:,}, or {subscription.QUEUE_BYTES // MIB} MiB",
        ],
        ["seconds without an answer of the database", f"{subscription.SILENCE:g}"],
        [
            "changes that a process remembers for followers that return",
            f"{channel.RECENT_COUNT:,}, or {channel.RECENT_BYTES // MIB} MiB; "
            "older ones are read from the database, as far back as its oplog goes",
        ],
    ]
    events = [[code(name), *rest] for name, *rest in EVENT_ROWS]
    headers = [[code(f"{name}: {value}")] for name, value in HEADERS.items()]
    return document(
        "Feed",
        INTRODUCTION,
        fenced(EVENTS, "text"),
        "## Events",
        table(["event", "what has happened", "data"], events),
        COMMENTS.format(idle=KEEP_ALIVE, quiet=subscription.QUIET),
        RESUMING.format(longest=positions.MAX_POSITION, pause=RECONNECT),
        "## Header fields of the response",
        table(["field"], headers),
        "## Limits",
        table(["what", "at most"], limits),
    )
