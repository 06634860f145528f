"""The change feed: changes to documents, as they happen.

    database → Stream → Channel (recent changes, subscribers) → Subscription → follower
    database → Stream → round of CatchingUp (followers from far behind) ↗

A process has one change stream of a collection for all its followers without a filter: its changes
are fanned out to them through bounded queues. A follower that is too slow is dropped, never waited
for. Each distinct filter has a channel and a change stream of its own, since the database evaluates
filters; all collections together may have a few of those. Followers that resume from far behind
share a few more. A collection that nobody follows has no change stream.

What holds, and why:

A follower gets every change, and gets it once.
    A subscriber resumes after a `Position`. If the channel remembers it, what came since is
    replayed; if it is older, a round reads the past up to there (`Channel.admit`, `CatchingUp`).
    Positions are compared by the order of the database's tokens, never by their time, which several
    changes may share (`Position.reaches`). A round ends where its stream has certainly come to what
    the channel remembers, which an empty answer does not prove (`_Round._read`). Where a channel
    begins is what its stream says (`Stream.open`).
A follower learns of every gap.
    If the database has forgotten a follower's position, or a change is too large for an event, the
    feed ends with `gone` (`End`): the follower knows that it has to read the documents again.
A follower can tell a database that does not answer from one without changes.
    Every batch says for how long the database has not answered, and after a minute the feed ends
    (`Subscription.batches`); `stuff_feed_silence_seconds` shows it.
No client delays another.
    Writers: under load a channel pauses between two reads, so that each returns many changes.
    Followers: those that resume share a few rounds, which do not wait for slow ones
    (`_Round._wait_for_members`); a response starts without waiting, except for the one that opens a
    channel (`Feed.follow`). Point reads: each stream has a thread of its own (`Stream`).
The feed survives outages of the database.
    A channel opens its stream again after the last change that it saw (`Channel._read`).

https://www.mongodb.com/docs/manual/changeStreams/
"""

from service.store.feed.changes import Change
from service.store.feed.channel import Encode
from service.store.feed.feed import Feed, Feeds, open_feeds
from service.store.feed.positions import Position, parse_position
from service.store.feed.subscription import Batch, End, Subscription

__all__ = [
    "Batch", "Change", "Encode", "End", "Feed", "Feeds", "Position", "Subscription",
    "open_feeds", "parse_position",
]  # fmt: skip
