"""What one follower is told, and why it ends."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

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
    """Changes in their order; none if there were none for as long as the reader waits.

    `position` is where to go on after these; None if that is not known. `state` says what it means
    that there are none: the feed begins; nothing has happened; it is being read what has happened
    since the position; the database has not answered for `silence` seconds.
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
    - `gone`: it cannot go on there, because of `problem`. After the others it may come back and go
      on.
    """

    kind: Literal["closed", "dropped", "gone"]
    detail: str
    problem: StuffError | None = None


CLOSED = End("closed", "The server stops.")
TOO_SLOW = End("dropped", "The feed is faster than it is read. Come back to go on.")
SILENT = End("dropped", "The database has not answered for long. Come back to go on.")
LATE = End("dropped", "What has happened since could not be read in time. Come back to go on.")


def gone(problem: StuffError) -> End:
    return End("gone", problem.detail, problem)


class Source(Protocol):
    """A channel, as those who follow it see it."""

    now: Position | None
    """After the last change."""
    answered: float
    """When the database has last answered (`loop.time()`)."""


class Subscription:
    """The changes of all documents or of one, for one follower.

    It is told by a channel or, while it is behind, by a round of catching up. They call `join`,
    `push`, `give` and `finish`, none of which waits; the follower reads `batches`.
    """

    def __init__(self, id: str | None, after: Position | None) -> None:
        self.id = id
        self.end: End | None = None
        self.taken = asyncio.Event()  # nothing waits
        self.taken.set()
        self.was_slow = False  # others have waited for it, in vain
        self.on_taken: Callable[[], None] | None = None
        """Called once, when all that waits is taken."""
        self._told = after  # everything up to here is told, or waits; while it is behind
        self._source: Source | None = None  # whom it follows; None while it is behind
        self._floor: Position | None = None  # a round was ahead of the source, and has told this
        self._waiting: list[Change] = []
        self._queued = 0  # changes that the source has told, of those that wait
        self._queued_bytes = 0
        self._wake = asyncio.Event()
        self._now = asyncio.get_running_loop().time
        self._heard = self._now()

    @property
    def position(self) -> Position | None:
        """Where to go on, once all is sent that was taken; None until it is known."""
        if self._source is None:
            return self._told
        now = self._source.now
        if self._floor is not None:
            if now is None or not now.reaches(self._floor):
                return self._floor
            self._floor = None
        return now

    @property
    def silence(self) -> float:
        """Seconds since the database has last answered what concerns this follower."""
        answered = self._heard if self._source is None else self._source.answered
        return self._now() - max(self._heard, answered)

    def join(self, source: Source, changes: Sequence[Change], floor: Position | None) -> None:
        """From now on the source tells what happens; these changes are what it remembers. If it is
        behind the floor, it will repeat what was told."""
        if self._told is None:
            self._told = source.now
        self._source = source
        self._floor = floor
        self._add(changes)
        self._wake.set()

    def push(self, changes: Sequence[Change]) -> None:
        """Tell what has just happened. If too much waits by now, the feed ends."""
        if self._floor is not None:
            changes = [change for change in changes if not self._floor.reaches(change.position)]
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
        """Tell what has happened up to a place in the past."""
        self._heard = self._now()
        self._told = position
        if self.end is None:
            self._add(changes)

    def finish(self, end: End) -> None:
        """Let the follower have no more than what it is being sent."""
        if self.end is None:
            self.end = end
            self._waiting.clear()
            self.taken.set()
            self._wake.set()

    async def batches(self, idle: float) -> AsyncGenerator[Batch, None]:
        """All changes, as they come; an empty batch where the feed begins, and after so many
        seconds in which nothing came. Ends with a reason, which is `end` then."""
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
