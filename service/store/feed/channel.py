"""One change stream, its recent changes, and those who follow it."""

import asyncio
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Any

from service.errors import FeedGone
from service.mongo.database import Database
from service.observability import metrics
from service.store.feed.changes import Change, Position
from service.store.feed.source import CatchUp, Source, catch_up

Encode = Callable[[Change], bytes]

RECENT_COUNT = 10_000  # changes that are remembered
RECENT_BYTES = 8 * 1024 * 1024
QUEUE_COUNT = 5_000  # changes that wait for a subscriber
QUEUE_BYTES = 4 * 1024 * 1024  # beyond one change
CATCH_UPS = 4  # change streams at once for those who come from far behind


class Dropped(Exception):
    """The subscriber is too slow; it may come back and go on."""


class Closed(Exception):
    """The service stops."""


class Subscription:
    """Changes for one client, of all documents or of one."""

    def __init__(self, channel: "Channel", id: str | None) -> None:
        self.id = id
        self.floor = -1  # the time up to which another change stream has told everything
        self._channel = channel
        self._waiting: list[Change] = []
        self._size = 0
        self._wake = asyncio.Event()
        self._end: Exception | None = None

    @property
    def position(self) -> Position | None:
        """Where to go on, once all is sent that was taken. None while changes wait, or while the
        channel is behind what another change stream has told."""
        now = self._channel.now
        return None if self._waiting or now is None or now.time < self.floor else now

    def push(self, changes: Sequence[Change], size: int) -> None:
        """Called by the channel: never waits."""
        if self._end is not None:
            return
        if self.floor >= 0:
            changes = [change for change in changes if change.position.time > self.floor]
        self._waiting.extend(changes)
        self._size += size
        if len(self._waiting) > QUEUE_COUNT or (
            self._size > QUEUE_BYTES and len(self._waiting) > 1
        ):
            metrics.feed_dropped.inc()
            self.end(Dropped())
        elif self._waiting:
            self._wake.set()

    def end(self, reason: Exception) -> None:
        """Let the client have no more than what it is being sent."""
        if self._end is None:
            self._end = reason
            self._waiting.clear()
            self._wake.set()

    async def next(self, seconds: float) -> list[Change]:
        """All changes that wait; none after so many seconds. Raises the reason of the end:
        `Dropped`, `Closed` or `FeedGone`."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return []
        if self._end is not None:
            raise self._end
        self._wake.clear()
        changes, self._waiting, self._size = self._waiting, [], 0
        return changes


class Channel:
    """What one change stream tells, fanned out."""

    def __init__(self, database: Database, pipeline: list[dict[str, Any]], encode: Encode) -> None:
        self._database = database
        self._pipeline = pipeline
        self._encode = encode
        self._recent: deque[Change] = deque()
        self._recent_size = 0
        self._numbers: dict[str, int] = {}  # of the recent changes, by their tokens
        self._count = 0  # of all changes so far
        self._start: Position | None = None  # the recent ones are all that came behind it
        self.now: Position | None = None
        """Behind the last change; None until the change stream has begun."""
        self._is_reading = asyncio.Event()  # not so behind a gap, until the source has begun anew
        self._of_all: set[Subscription] = set()
        self._of_one: dict[str, set[Subscription]] = {}
        self._catch_ups = asyncio.Semaphore(CATCH_UPS)
        self._source = Source(database, pipeline, on_changes=self._receive, on_gap=self._interrupt)

    @property
    def subscriptions(self) -> Iterable[Subscription]:
        yield from self._of_all
        for followers in self._of_one.values():
            yield from followers

    async def start(self) -> None:
        """Raises `FeedUnsupported` and `DatabaseUnavailable`."""
        self._start = self.now = await self._source.start()
        self._is_reading.set()

    async def stop(self) -> None:
        self.end(Closed())
        await self._source.stop()

    def end(self, reason: Exception) -> None:
        """End all subscriptions."""
        for subscription in list(self.subscriptions):
            subscription.end(reason)

    async def follow(
        self, subscription: Subscription, after: Position | None
    ) -> AsyncGenerator[list[Change], None]:
        """What has happened behind the position until now; from then on the subscription is told.
        Without a position it begins now.

        Raises `FeedGone`, `InvalidParameter` and `DatabaseUnavailable`.
        """
        async with self._database.operation():
            await self._is_reading.wait()
        if after is None or self._remembers(after):
            yield self._join(subscription, after)
            return
        async with self._catch_ups:
            past = await catch_up(self._database, self._pipeline, after)
            try:
                async for changes in self._catch_up(past, subscription, after):
                    yield changes
            finally:
                await past.close()

    async def _catch_up(
        self, past: CatchUp, subscription: Subscription, after: Position
    ) -> AsyncGenerator[list[Change], None]:
        while changes := await past.next_batch():
            for index, change in enumerate(changes):
                if change.position.token in self._numbers:
                    # Here the recent changes begin. While the others are being sent, some of them
                    # may be forgotten: they are taken first.
                    recent = self._join(subscription, change.position)
                    yield self._wanted(changes[: index + 1], subscription)
                    yield recent
                    return
            after = changes[-1].position
            yield self._wanted(changes, subscription)
        # There is no more by now. What the channel tells from here on came before, or comes.
        yield self._join(subscription, after)

    def leave(self, subscription: Subscription) -> None:
        self._of_all.discard(subscription)
        if subscription.id is not None and subscription.id in self._of_one:
            self._of_one[subscription.id].discard(subscription)
            if not self._of_one[subscription.id]:
                del self._of_one[subscription.id]

    def _remembers(self, position: Position) -> bool:
        """Whether all changes behind the position are among the recent ones, or to come."""
        if position.token in self._numbers or position == self._start:
            return True
        if self._start is None or self.now is None:
            return False
        # Between two changes, as far as this one has come: nothing of that time is to come.
        return self._start.time < position.time <= self.now.time

    def _join(self, subscription: Subscription, after: Position | None) -> list[Change]:
        """Tell the subscription everything from here on; returns what is remembered until here."""
        if subscription.id is None:
            self._of_all.add(subscription)
        else:
            self._of_one.setdefault(subscription.id, set()).add(subscription)
        if after is None:
            return []
        if after.token in self._numbers:
            oldest = self._count - len(self._recent) + 1
            missed = list(self._recent)[self._numbers[after.token] - oldest + 1 :]
        elif after == self._start:
            missed = list(self._recent)
        else:
            missed = [change for change in self._recent if change.position.time > after.time]
            subscription.floor = after.time
        return self._wanted(missed, subscription)

    def _wanted(self, changes: Iterable[Change], subscription: Subscription) -> list[Change]:
        """Those that concern the subscription, ready to be sent."""
        id = subscription.id
        return [self._encoded(change) for change in changes if id is None or change.id == id]

    def _encoded(self, change: Change) -> Change:
        if not change.wire:
            change.wire = self._encode(change)
        return change

    def _receive(self, changes: Sequence[Change], position: Position) -> None:
        """What the source has read."""
        if self._start is None or not (self._recent or changes):
            self._start = position
        self.now = position
        self._is_reading.set()
        size = 0
        for change in changes:
            self._count += 1
            self._recent.append(change)
            self._numbers[change.position.token] = self._count
            size += change.size
            if self._of_all:
                self._encoded(change)
            if self._of_one and isinstance(change.id, str):
                for subscription in list(self._of_one.get(change.id, ())):
                    subscription.push([self._encoded(change)], change.size)
        for subscription in list(self._of_all):
            subscription.push(changes, size)
        self._recent_size += size
        if changes:
            metrics.feed_changes.inc(len(changes))
            metrics.feed_lag.set(max(0, int(time.time()) - (changes[-1].position.time >> 32)))
        while len(self._recent) > RECENT_COUNT or self._recent_size > RECENT_BYTES:
            forgotten = self._recent.popleft()
            self._recent_size -= forgotten.size
            self._numbers.pop(forgotten.position.token, None)
            self._start = forgotten.position

    def _interrupt(self) -> None:
        """Nobody can go on from where it was."""
        self._recent.clear()
        self._recent_size = 0
        self._numbers.clear()
        self._start = self.now = None
        self._is_reading.clear()
        self.end(FeedGone())
