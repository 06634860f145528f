"""The change feed: what happens to documents, as it happens.

    database → Stream → Channel (recent changes, subscribers) → Subscription → follower
    database → Stream → round of CatchingUp (followers from far behind) ↗

A process has one change stream, however many follow it: the changes are fanned out to all
subscribers through bounded queues. A subscriber that is too slow is dropped and never waited for.
Each distinct filter has a channel and a change stream of its own, since the database evaluates
filters; there may be a few of those.

What holds, and why:

Nothing is missed and nothing repeated.
    A subscriber goes on after a `Position`. If the channel remembers it, what came since is
    replayed; if it is older, a round reads the past up to there (`Channel.admit`, `CatchingUp`).
    Positions are compared by the order of the database's tokens, never by their time, which several
    changes may share (`Position.reaches`). A round ends where its stream has certainly come to what
    the channel remembers, which an empty answer does not prove (`_Round._read`). Where a channel
    begins is what its stream says (`Stream.open`).
What cannot be told is said.
    A follower whose position the database has forgotten, or that comes to a change too large for an
    event, is told so (`End`, `gone`), and knows that it has to read the documents again.
A silent database does not look like one where nothing happens.
    Every batch says how long ago the database has answered, and a feed ends when that is long
    (`Subscription.batches`); `stuff_feed_silence_seconds` shows it.
Nobody is held up by others.
    Writers: under load a channel rests between two looks at the database, so that each brings many
    changes. Followers: all who come back share a few rounds, which leave behind whoever is slow
    (`_Round._wait_for_members`); only whoever opens a channel waits for it (`Feed.follow`).
    Point reads: each stream has a thread of its own (`Stream`).
The feed outlives the database.
    A channel opens its stream again after the last change that it saw (`Channel._read`).

https://www.mongodb.com/docs/manual/changeStreams/
"""

from service.store.feed.changes import Change
from service.store.feed.channel import Encode
from service.store.feed.feed import Feed, open_feed
from service.store.feed.positions import Position, parse_position
from service.store.feed.subscription import Batch, End, Subscription

__all__ = [
    "Batch", "Change", "Encode", "End", "Feed", "Position", "Subscription", "open_feed",
    "parse_position",
]  # fmt: skip
