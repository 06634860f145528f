"""The feeds of all collections of a process."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Any, TypeAlias

from service.documents.ids import Id
from service.errors import FeedFull
from service.mongo.access import CollectionAccess
from service.observability import metrics
from service.store.feed.changes import filter_key, pipeline
from service.store.feed.channel import Channel, Encode
from service.store.feed.positions import Position
from service.store.feed.subscription import CLOSED, Subscription

MAX_FILTERS = 16  # in use at once: each has a change stream
LINGER = 60.0  # seconds that a channel without subscribers stays open
OPENING = 2.0  # seconds that the first follower of a channel waits until it is open
SILENCE_INTERVAL = 1.0  # seconds between two measurements


Key: TypeAlias = tuple[str, bytes]
"""Of a channel: the name of its collection in the database, and its filter, empty for none."""


class Feed:
    """The changes of one collection."""

    def __init__(self, feeds: "Feeds", database: CollectionAccess, encode: Encode) -> None:
        self._feeds = feeds
        self._database = database
        self._encode = encode

    def follow(
        self,
        *,
        id: Id | None = None,
        filter: Mapping[str, Any] | None = None,
        after: Position | None = None,
    ) -> AbstractAsyncContextManager[Subscription]:
        """The changes of all documents, of those that match, or of one: after a position, or from
        now on.

            async with feed.follow(after=position) as changes:
                async for batch in changes.batches(idle=15):
                    ...
            # changes.end says why it ends

        Raises `FeedFull`, `FeedUnsupported`, and `InvalidParameter` if the database refuses the
        filter. Only the first follower of a channel waits until it is open, for a moment. So the
        last two may also occur later; then, like any other error, they end the feed.
        """
        subscription = Subscription(id, after)
        return self._feeds.follow(self._database, self._encode, subscription, filter)


class Feeds:
    """The channels of all collections, and their common bounds."""

    def __init__(self, max_subscribers: int) -> None:
        self._max_subscribers = max_subscribers
        self._channels: dict[Key, Channel] = {}
        self._users: dict[Key, int] = {}
        self._lingering: dict[Key, asyncio.TimerHandle] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._is_closed = False

    def of(self, database: CollectionAccess, encode: Encode) -> Feed:
        """The feed of this collection. `encode` returns the event of a change, as bytes."""
        return Feed(self, database, encode)

    @asynccontextmanager
    async def follow(
        self,
        database: CollectionAccess,
        encode: Encode,
        subscription: Subscription,
        filter: Mapping[str, Any] | None,
    ) -> AsyncIterator[Subscription]:
        """As `Feed.follow`."""
        if self._is_closed:
            subscription.finish(CLOSED)
            yield subscription
            return
        if sum(self._users.values()) >= self._max_subscribers:
            raise FeedFull("The feed has as many followers as this server allows. Try again later.")
        key = database.name, filter_key(filter)
        channel = self._channels.get(key)
        is_new = channel is None
        if channel is None:
            if filter is not None:
                self._make_room()
            channel = Channel(database, pipeline(filter), encode)
            self._channels[key] = channel
        self._enter(key)
        try:
            if is_new or channel.failure is not None:
                await channel.wait_until_open(OPENING)
            channel.admit(subscription)
            yield subscription
        finally:
            channel.leave(subscription)
            self._leave(key)

    def close(self) -> None:
        """End all subscriptions and accept no more, because the service is about to stop."""
        self._is_closed = True
        for channel in self._channels.values():
            channel.close()

    async def stop(self) -> None:
        self.close()
        for key in list(self._channels):
            self._stop_channel(key)
        await asyncio.gather(*self._stopping)

    async def measure(self) -> None:
        """Export the longest silence of the database, forever."""
        now = asyncio.get_running_loop().time
        while True:
            followed = [self._channels[key] for key in self._users if key in self._channels]
            silences = [now() - channel.answered for channel in followed]
            metrics.feed_silence.set(max(silences, default=0.0))
            await asyncio.sleep(SILENCE_INTERVAL)

    def _enter(self, key: Key) -> None:
        if (timer := self._lingering.pop(key, None)) is not None:
            timer.cancel()
        self._users[key] = self._users.get(key, 0) + 1
        metrics.feed_subscribers.inc()

    def _leave(self, key: Key) -> None:
        metrics.feed_subscribers.dec()
        self._users[key] -= 1
        channel = self._channels.get(key)
        if channel is not None and channel.failure is not None:
            self._stop_channel(key)
        if self._users[key] == 0:
            del self._users[key]
            if key in self._channels and not self._is_closed:
                loop = asyncio.get_running_loop()
                self._lingering[key] = loop.call_later(LINGER, self._stop_channel, key)

    def _make_room(self) -> None:
        """Make room for another filter. Raises `FeedFull`."""
        if sum(1 for _, filter in self._channels if filter) < MAX_FILTERS:
            return
        unused = next((key for key in self._lingering if key[1]), None)
        if unused is None:
            raise FeedFull(
                "The feed has as many filters as this server allows. Follow it without one."
            )
        self._stop_channel(unused)

    def _stop_channel(self, key: Key) -> None:
        if (timer := self._lingering.pop(key, None)) is not None:
            timer.cancel()
        task = asyncio.create_task(self._channels.pop(key).stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


@asynccontextmanager
async def open_feeds(max_subscribers: int) -> AsyncIterator[Feeds]:
    """The feeds for a lifespan."""
    feeds = Feeds(max_subscribers)
    measuring = asyncio.create_task(feeds.measure())
    try:
        yield feeds
    finally:
        measuring.cancel()
        with suppress(asyncio.CancelledError):
            await measuring
        await feeds.stop()
