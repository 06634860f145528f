"""One change stream, its recent changes, and its followers."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from service.documents.ids import Key
from service.errors import DatabaseUnavailable, FeedGone, StuffError
from service.mongo.access import CollectionAccess
from service.observability import metrics
from service.store.feed.catching_up import CatchingUp
from service.store.feed.changes import Change, parts
from service.store.feed.positions import Position
from service.store.feed.stream import Stream
from service.store.feed.subscription import CLOSED, Subscription, gone

log = logging.getLogger(__name__)

Encode = Callable[[Change], bytes]

RECENT_COUNT = 10_000  # changes that are remembered
RECENT_BYTES = 8 * 1024 * 1024
PART_BYTES = 1024 * 1024  # of changes that are sent before other tasks run
LARGE = 256 * 1024  # bytes of a change whose encoding may stop other requests for too long
MAX_AWAIT = 0.5  # seconds that the database waits for a change before it answers that there is none
REST = 0.025  # seconds between two requests under load: each costs much more than a change
RETRY_INTERVAL = 0.5  # seconds


class Channel:
    """Fans out one change stream to its followers.

    It is open once the database has said where the stream begins. Followers that come before that,
    or in a gap, wait. A channel whose stream can never be opened has a `failure`, which ends them.
    """

    def __init__(
        self, database: CollectionAccess, pipeline: list[dict[str, Any]], encode: Encode
    ) -> None:
        self._database = database
        self._pipeline = pipeline
        self._encode = encode
        self.now: Position | None = None
        """After the last change; None while it is not open."""
        self.answered = asyncio.get_running_loop().time()
        """When the database has last answered, with changes or without (`loop.time()`)."""
        self.failure: StuffError | None = None
        self._has_begun = asyncio.Event()  # it is open, or never will be
        self._start: Position | None = None  # the recent changes are all that came after it
        self._recent: deque[Change] = deque()
        self._recent_bytes = 0
        self._numbers: dict[str, int] = {}  # of the recent changes, by their tokens
        self._count = 0  # of all changes so far
        self._subscriptions: set[Subscription] = set()
        self._arrivals: set[Subscription] = set()  # before it is open
        self._of_all: set[Subscription] = set()  # that have joined
        self._of_one: dict[Key, set[Subscription]] = {}
        self._catching_up = CatchingUp(database, pipeline, self)
        self._reading = asyncio.create_task(self._read())

    async def wait_until_open(self, seconds: float) -> None:
        """Wait for this long at most. Raises the failure."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._has_begun.wait()
        if self.failure is not None:
            raise self.failure

    async def stop(self) -> None:
        self.close()
        self._reading.cancel()
        await asyncio.gather(self._reading, self._catching_up.stop(), return_exceptions=True)

    def close(self) -> None:
        """End all subscriptions: the service stops."""
        for subscription in self._subscriptions:
            subscription.finish(CLOSED)

    def admit(self, subscription: Subscription) -> None:
        """Have the subscription resume at its position, or begin now."""
        if subscription.end is not None:
            return
        self._subscriptions.add(subscription)
        position = subscription.position
        if self.failure is not None:
            subscription.finish(gone(self.failure))
        elif self.now is None:
            self._arrivals.add(subscription)
        elif position is None or self.remembers(position):
            self.join(subscription, position)
        else:
            self._catching_up.add(subscription, position)

    def leave(self, subscription: Subscription) -> None:
        subscription.finish(CLOSED)
        self._subscriptions.discard(subscription)
        self._arrivals.discard(subscription)
        self._of_all.discard(subscription)
        if subscription.id is not None and subscription.id in self._of_one:
            self._of_one[subscription.id].discard(subscription)
            if not self._of_one[subscription.id]:
                del self._of_one[subscription.id]

    def remembers(self, position: Position) -> bool:
        """Whether all changes after the position are among the recent ones, or still to come."""
        if self._start is None or self.now is None:
            return False
        return (
            position.token in self._numbers
            or position.token in (self._start.token, self.now.token)
            or (position.reaches(self._start) and self.now.reaches(position))
        )

    def join(self, subscription: Subscription, after: Position | None) -> None:
        """Give the subscription every change from here on, beginning with the remembered ones. The
        position is None, for now, or one that the channel remembers."""
        if subscription.end is not None:
            return
        if subscription.id is None:
            self._of_all.add(subscription)
        else:
            self._of_one.setdefault(subscription.id, set()).add(subscription)
        missed: Iterable[Change]
        if after is None or (self.now is not None and after.token == self.now.token):
            missed = ()
        elif after.token in self._numbers:
            oldest = self._count - len(self._recent) + 1
            missed = list(self._recent)[self._numbers[after.token] - oldest + 1 :]
        else:
            missed = [change for change in self._recent if not after.reaches(change.position)]
        id = subscription.id
        wanted = [self.encoded(change) for change in missed if id is None or change.id == id]
        subscription.join(self, wanted)

    def encoded(self, change: Change) -> Change:
        """The change, ready to be sent."""
        if not change.wire:
            change.wire = self._encode(change)
        return change

    async def prepare(self, changes: Sequence[Change]) -> None:
        """Encode the large ones in a thread: types that JSON lacks are written value by value in
        Python, between which the interpreter runs other threads."""
        for change in changes:
            if change.size > LARGE and not change.wire:
                await asyncio.to_thread(self.encoded, change)

    async def _read(self) -> None:
        """Read the change stream forever, through all outages of the database."""
        while self.failure is None:
            stream = Stream(self._database, self._pipeline, MAX_AWAIT)
            try:
                await self._read_stream(stream)
            except DatabaseUnavailable:
                pass
            except FeedGone as error:
                self._interrupt(error)
            except StuffError as error:
                self._fail(error)
            except Exception:
                log.exception("The feed failed unexpectedly, and starts again.")
                self._interrupt(FeedGone())
            finally:
                await stream.close()
            await asyncio.sleep(RETRY_INTERVAL)

    async def _read_stream(self, stream: Stream) -> None:
        now = asyncio.get_running_loop().time
        await stream.open(self.now)
        if self.now is None:
            self._begin(stream.position)
        while True:
            asked = now()
            changes = await stream.next_batch()
            self.answered = now()
            for part in parts(changes, PART_BYTES):
                large = [each for each in part if each.size > LARGE]
                await self.prepare([each for each in large if self._is_followed(each)])
                self._receive(part)
                await asyncio.sleep(0)
            self.now = stream.position
            if not self._recent:
                self._start = self.now
            # Some databases answer at once without changes when there are other writes.
            if changes or self.answered - asked < REST:
                await asyncio.sleep(REST)

    def _begin(self, position: Position) -> None:
        self._start = self.now = position
        self.answered = asyncio.get_running_loop().time()
        self._has_begun.set()
        arrivals, self._arrivals = self._arrivals, set()
        for subscription in arrivals:
            self.admit(subscription)

    def _is_followed(self, change: Change) -> bool:
        return bool(self._of_all) or (bool(self._of_one) and change.id in self._of_one)

    def _receive(self, changes: Sequence[Change]) -> None:
        size = 0
        for change in changes:
            self._count += 1
            self._recent.append(change)
            self._numbers[change.position.token] = self._count
            size += change.size
            if self._of_all:
                self.encoded(change)
            if self._of_one:
                for subscription in list(self._of_one.get(change.id, ())):
                    subscription.push([self.encoded(change)])
        self.now = changes[-1].position
        for subscription in list(self._of_all):
            subscription.push(changes)
        self._recent_bytes += size
        metrics.feed_changes.inc(len(changes))
        metrics.feed_lag.set(max(0, int(time.time()) - (self.now.time >> 32)))
        while len(self._recent) > RECENT_COUNT or self._recent_bytes > RECENT_BYTES:
            forgotten = self._recent.popleft()
            self._recent_bytes -= forgotten.size
            self._numbers.pop(forgotten.position.token, None)
            self._start = forgotten.position

    def _interrupt(self, error: FeedGone) -> None:
        """A gap: no follower that has joined can continue."""
        self._recent.clear()
        self._recent_bytes = 0
        self._numbers.clear()
        self._start = self.now = None
        for subscription in [*self._of_all, *(s for some in self._of_one.values() for s in some)]:
            subscription.finish(gone(error))

    def _fail(self, error: StuffError) -> None:
        self._interrupt(FeedGone())
        self.failure = error
        self._has_begun.set()
        for subscription in self._subscriptions:
            subscription.finish(gone(error))
