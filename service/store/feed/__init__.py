"""The change feed: what happens to documents, as it happens.

    database → Stream → Channel (recent changes, subscribers) → Subscription → follower
    database → Stream → round of CatchingUp (followers from far behind) ↗

A process has one change stream for all followers without a filter: its changes are fanned out to
them through bounded queues. A follower that is too slow is dropped, never waited for. Each distinct
filter has a channel and a change stream of its own, since the database evaluates filters; there may
be a few of those. Followers that return from far behind share a few more.

What holds, and why:

Nothing is missed and nothing repeated.
    A subscriber resumes after a `Position`. If the channel remembers it, what came since is
    replayed; if it is older, a round reads the past up to there (`Channel.admit`, `CatchingUp`).
    Positions are compared by the order of the database's tokens, never by their time, which several
    changes may share (`Position.reaches`). A round ends where its stream has certainly come to what
    the channel remembers, which an empty answer does not prove (`_Round._read`). Where a channel
    begins is what its stream says (`Stream.open`).
A gap is never silent.
    If the database has forgotten a follower's position, or a change is too large for an event, the
    feed ends with `gone` (`End`): the follower knows that it has to read the documents again.
A silent database does not look like one where nothing happens.
    Every batch says for how long the database has not answered, and after a minute the feed ends
    (`Subscription.batches`); `stuff_feed_silence_seconds` shows it.
Nobody is held up by others.
    Writers: under load a channel rests between two looks at the database, so that each brings many
    changes. Followers: those that return share a few rounds, which leave slow ones behind
    (`_Round._wait_for_members`); a response starts without waiting, except for the one that opens a
    channel (`Feed.follow`). Point reads: each stream has a thread of its own (`Stream`).
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
