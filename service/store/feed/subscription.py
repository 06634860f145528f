"""The changes for one follower, and why its feed ends."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from service.documents.ids import Id
from service.errors import StuffError
from service.observability import metrics
from service.store.feed.changes import Change
from service.store.feed.positions import Position

QUEUE_COUNT = 5_000  # changes that wait for a subscriber
QUEUE_BYTES = 4 * 1024 * 1024  # beyond one change
QUIET = 5.0  # seconds without an answer of the database after which the feed says so
SILENCE = 60.0  # seconds without one after which it ends

State = Literal["begins", "current", "behind", "silent"]


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes in their order; none if there were none for as long as the reader wanted to wait.

    `position` is where to resume after these; None if it is unknown. `state` says why there are
    none: the feed begins; nothing has changed; past changes since the position are being read; the
    database has not answered for `silence` seconds.
    """

    changes: Sequence[Change]
    position: Position | None
    state: State
    silence: float


@dataclass(frozen=True, slots=True)
class End:
    """Why a feed has ended.

    - `closed`: the service stops.
    - `dropped`: the follower is too slow, or the database has been silent for long.
    - `gone`: the feed cannot resume there, because of `problem`. After the other kinds, the
      follower may come back and resume.
    """

    kind: Literal["closed", "dropped", "gone"]
    detail: str
    problem: StuffError | None = None


CLOSED = End("closed", "The server stops.")
TOO_SLOW = End("dropped", "The client reads more slowly than the feed. Reconnect to resume.")
SILENT = End("dropped", "The database has not answered for a long time. Reconnect to resume.")
LATE = End("dropped", "Past changes could not be read in time. Reconnect to resume.")


def gone(problem: StuffError) -> End:
    return End("gone", problem.detail, problem)


class Source(Protocol):
    """A channel, as its followers see it."""

    now: Position | None
    """After the last change."""
    answered: float
    """When the database has last answered (`loop.time()`)."""


class Subscription:
    """The changes of all documents or of one, for one follower.

    Changes come from a channel or, while the follower is behind, from a round of catching up.
    Both call `join`, `push`, `give` and `finish`, which never wait; the follower reads `batches`.
    """

    def __init__(self, id: Id | None, after: Position | None) -> None:
        self.id = id
        self.end: End | None = None
        self.taken = asyncio.Event()  # nothing waits
        self.taken.set()
        self.was_slow = False  # a round has waited for it, and continued without it
        self.on_taken: Callable[[], None] | None = None
        """Called once, when all waiting changes are taken."""
        self._told = after  # while it is behind: all changes up to here were sent, or wait
        self._source: Source | None = None  # what it follows; None while it is behind
        self._waiting: list[Change] = []
        self._queued = 0  # waiting changes that came from the source
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._now = asyncio.get_running_loop().time
        self._heard = self._now()

    @property
    def position(self) -> Position | None:
        """Where to resume after all that was taken; None until it is known."""
        return self._told if self._source is None else self._source.now

    @property
    def silence(self) -> float:
        """Seconds since the database last answered what concerns this follower."""
        answered = self._heard if self._source is None else self._source.answered
        return self._now() - max(self._heard, answered)

    def join(self, source: Source, changes: Sequence[Change]) -> None:
        """Follow the source from now on; these are the changes that it remembers."""
        if self._told is None:
            self._told = source.now
        self._source = source
        self._add(changes)
        self._wake.set()

    def push(self, changes: Sequence[Change]) -> None:
        """Add new changes. If too many wait, the feed ends."""
        if not changes or self.end is not None:
            return
        self._queued += len(changes)
        self._queued_bytes += sum(change.size for change in changes)
        if self._queued > QUEUE_COUNT or (self._queued_bytes > QUEUE_BYTES and self._queued > 1):
            metrics.feed_dropped.inc()
            self.finish(TOO_SLOW)
        else:
            self._add(changes)

    def give(self, changes: Sequence[Change], position: Position) -> None:
        """Add past changes, up to a position."""
        self._heard = self._now()
        self._told = position
        if self.end is None:
            self._add(changes)

    def finish(self, end: End) -> None:
        """End the feed: the follower gets no more than what is being sent."""
        if self.end is None:
            self.end = end
            self._waiting.clear()
            self.taken.set()
            self._wake.set()

    async def batches(self, idle: float) -> AsyncGenerator[Batch, None]:
        """All changes as they come; an empty batch where the feed begins, and after `idle` seconds
        without changes. When it ends, `end` says why."""
        has_begun = False
        while True:
            if self._told is not None and not has_begun and self.end is None:
                has_begun = True
                yield Batch([], self._told, "begins", 0.0)
            is_idle = False
            try:
                async with asyncio.timeout(idle):
                    await self._wake.wait()
            except TimeoutError:
                is_idle = True
                if self.silence > SILENCE:
                    self.finish(LATE if self._state == "behind" else SILENT)
            if self.end is not None:
                return
            if self._waiting and not has_begun:
                continue
            changes = self._take()
            if changes or is_idle:
                yield Batch(changes, self.position, self._state, self.silence)

    @property
    def _state(self) -> State:
        if self._source is None and self._told is not None:
            return "behind"
        return "silent" if self.silence > QUIET else "current"

    def _take(self) -> list[Change]:
        changes, self._waiting = self._waiting, []
        self._queued = self._queued_bytes = 0
        self._wake.clear()
        self.taken.set()
        if self.on_taken is not None:
            on_taken, self.on_taken = self.on_taken, None
            on_taken()
        return changes

    def _add(self, changes: Sequence[Change]) -> None:
        if changes:
            self._waiting.extend(changes)
            self.taken.clear()
            self._wake.set()
