"""The change feed: what happens to documents, as it happens.

    database → Source (a thread) → Channel (recent changes, subscribers) → Subscription → client

A process has one change stream, whoever else is interested: the changes are fanned out to all
subscribers through bounded queues. A subscriber that is too slow is dropped and never waited for.
Each distinct filter has a channel and a change stream of its own, since the database is to evaluate
it; there may be a few of those.

What holds, and why:

Nothing is missed and nothing repeated.
    A subscriber goes on behind a `Position`. If that is among the recent changes, they are replayed
    from there; if it is older, a change stream of its own reads up to those (`Channel.follow`).
    A position that the database has forgotten is `FeedGone`.
Writers are not slowed.
    Under load the source rests between two looks at the database, so that each brings many changes.
The feed outlives the database.
    The source begins anew behind the last change that it saw.

https://www.mongodb.com/docs/manual/changeStreams/
"""

from service.store.feed.changes import Change, Position
from service.store.feed.channel import Subscription
from service.store.feed.feed import Feed, open_feed

__all__ = ["Change", "Feed", "Position", "Subscription", "open_feed"]
