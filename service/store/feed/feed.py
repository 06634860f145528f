"""All channels of a process."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from service.errors import FeedFull
from service.mongo.database import Database
from service.observability import metrics
from service.store.feed.changes import filter_key, pipeline
from service.store.feed.channel import Channel, Closed, Encode, Subscription

MAX_FILTERS = 16  # that are followed at once: each has a change stream
LINGER = 60.0  # seconds that a channel without subscribers remembers what happens


class Feed:
    """Hands out subscriptions."""

    def __init__(self, database: Database, max_subscribers: int, encode: Encode) -> None:
        self._database = database
        self._max_subscribers = max_subscribers
        self._encode = encode
        self._channels: dict[bytes, asyncio.Task[Channel]] = {}
        self._lingering: dict[bytes, asyncio.TimerHandle] = {}
        self._stopping: set[asyncio.Task[None]] = set()
        self._users: dict[bytes, int] = {}
        self._is_closed = False

    @asynccontextmanager
    async def subscription(
        self, id: str | None, filter: Mapping[str, Any] | None
    ) -> AsyncIterator[tuple[Channel, Subscription]]:
        """A subscription, and the channel that it is to follow.

        Raises `FeedFull`, `FeedUnsupported` and `DatabaseUnavailable`.
        """
        if self._is_closed:
            raise FeedFull("The service stops. Try again.")
        if sum(self._users.values()) >= self._max_subscribers:
            raise FeedFull("As many follow the feed as this server allows. Try again later.")
        key = filter_key(filter)
        if key and key not in self._channels:
            self._make_room()
        self._users[key] = self._users.get(key, 0) + 1
        metrics.feed_subscribers.inc()
        try:
            channel = await self._channel(key, filter)
            subscription = Subscription(channel, id)
            if self._is_closed:
                subscription.end(Closed())
            try:
                yield channel, subscription
            finally:
                channel.leave(subscription)
        finally:
            metrics.feed_subscribers.dec()
            self._users[key] -= 1
            if self._users[key] == 0:
                del self._users[key]
                self._linger(key)

    def close(self) -> None:
        """End all subscriptions, and take no more: the service is about to stop."""
        self._is_closed = True
        for task in self._channels.values():
            if task.done() and not task.cancelled() and task.exception() is None:
                task.result().end(Closed())

    async def stop(self) -> None:
        self.close()
        for timer in self._lingering.values():
            timer.cancel()
        for key in list(self._channels):
            self._stop_channel(key)
        await asyncio.gather(*self._stopping)

    async def _channel(self, key: bytes, filter: Mapping[str, Any] | None) -> Channel:
        if (timer := self._lingering.pop(key, None)) is not None:
            timer.cancel()
        task = self._channels.get(key)
        if task is None:
            task = self._channels[key] = asyncio.create_task(self._start_channel(filter))
        try:
            return await asyncio.shield(task)
        except Exception:
            if self._channels.get(key) is task:
                del self._channels[key]
            raise

    async def _start_channel(self, filter: Mapping[str, Any] | None) -> Channel:
        channel = Channel(self._database, pipeline(filter), self._encode)
        try:
            async with self._database.operation():
                await channel.start()
        except BaseException:
            await channel.stop()
            raise
        return channel

    def _make_room(self) -> None:
        """See to it that another filter can be followed. Raises `FeedFull`."""
        if sum(1 for key in self._channels if key) < MAX_FILTERS:
            return
        unused = next((key for key in self._lingering if key), None)
        if unused is None:
            raise FeedFull("As many filters are followed as this server allows. Follow it without.")
        self._lingering[unused].cancel()
        self._stop_channel(unused)

    def _linger(self, key: bytes) -> None:
        if key in self._channels and not self._is_closed:
            loop = asyncio.get_running_loop()
            self._lingering[key] = loop.call_later(LINGER, self._stop_channel, key)

    def _stop_channel(self, key: bytes) -> None:
        self._lingering.pop(key, None)
        starting = self._channels.pop(key)

        async def stop() -> None:
            try:
                channel = await starting
            except Exception:
                return
            await channel.stop()

        task = asyncio.create_task(stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


@asynccontextmanager
async def open_feed(
    database: Database, max_subscribers: int, encode: Encode
) -> AsyncIterator[Feed]:
    """The feed for a lifespan."""
    feed = Feed(database, max_subscribers, encode)
    try:
        yield feed
    finally:
        await feed.stop()
