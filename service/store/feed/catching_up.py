"""Lets followers that are far behind catch up with a channel, many of them with one change
stream."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from functools import cmp_to_key, partial
from typing import Any, Protocol

from service.documents.ids import Key
from service.errors import DatabaseUnavailable, FeedGone, StuffError
from service.mongo.access import CollectionAccess
from service.store.feed.changes import Change, parts
from service.store.feed.positions import Position
from service.store.feed.stream import Stream
from service.store.feed.subscription import LATE, End, Subscription, gone

log = logging.getLogger(__name__)

MAX_ROUNDS = 4  # at a time, for a channel: each has a change stream
GATHER = 0.1  # seconds between the starts of rounds; followers that come meanwhile share the next
PATIENCE = 1.0  # seconds that a round waits for slow members before it continues without them
TURN = 5.0  # seconds after which a round ends, if others wait
PART_BYTES = 1024 * 1024  # that a member is given at a time
MAX_AWAIT = 0.05  # seconds that the database waits for a change
REST = 0.025  # seconds after an answer without changes
RETRY_INTERVAL = 0.5  # seconds


class Present(Protocol):
    """The channel to catch up with."""

    def remembers(self, position: Position) -> bool:
        """Whether all changes after the position are remembered, or still to come."""

    def join(self, subscription: Subscription, after: Position) -> None:
        """Give the subscription all changes after the position."""

    def admit(self, subscription: Subscription) -> None:
        """Have the subscription join, or catch up."""

    async def prepare(self, changes: Sequence[Change]) -> None:
        """Encode the large ones in a thread."""

    def encoded(self, change: Change) -> Change:
        """The change, ready to be sent."""


class CatchingUp:
    """Followers that are behind a channel, and the rounds that let them catch up.

    A follower waits until a round passes its position. The first round starts at the oldest
    position. Others start beside it, at the position of the follower that has waited longest. So
    does the next one if a round has ended to make way: its members would have the oldest positions
    again. If the database has forgotten a position, and so all before it, the next round starts in
    the middle of the others.
    """

    def __init__(
        self, database: CollectionAccess, pipeline: list[dict[str, Any]], channel: Present
    ) -> None:
        self._database = database
        self._pipeline = pipeline
        self._channel = channel
        self._waiting: dict[Subscription, Position] = {}  # in the order in which they came
        self._places = asyncio.Semaphore(MAX_ROUNDS)
        self._rounds: set[asyncio.Task[None]] = set()
        self._starting: asyncio.Task[None] | None = None
        self._is_in_turns = False  # a round has ended to make way
        self._has_forgotten = False  # a position was one that the database has forgotten

    def add(self, subscription: Subscription, after: Position) -> None:
        """Let the subscription catch up from this position, and then join the channel."""
        self._waiting[subscription] = after
        if self._starting is None or self._starting.done():
            self._starting = asyncio.create_task(self._start_rounds())

    async def stop(self) -> None:
        tasks = [*self._rounds, *([self._starting] if self._starting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def is_crowded(self) -> bool:
        """Whether followers wait for a place."""
        return bool(self._waiting) and self._places.locked()

    def between(self, start: Position, end: Position) -> dict[Subscription, Position]:
        """The waiting followers from the start to the end, which need not wait any longer."""
        found = {
            each: at for each, at in self._waiting.items() if at.reaches(start) and end.reaches(at)
        }
        for subscription in found:
            del self._waiting[subscription]
        return found

    def take_turns(self) -> None:
        """A round has made way: start the next one at the follower that has waited longest."""
        self._is_in_turns = True

    def forget(self, position: Position, error: StuffError) -> None:
        """End the subscriptions at the position or before it: they cannot resume."""
        self._has_forgotten = True
        for subscription, at in list(self._waiting.items()):
            if position.reaches(at):
                del self._waiting[subscription]
                subscription.finish(gone(error))

    async def _start_rounds(self) -> None:
        self._is_in_turns = self._has_forgotten = False
        while self._waiting:
            await asyncio.sleep(GATHER)
            await self._places.acquire()
            for subscription in [each for each in self._waiting if each.end is not None]:
                del self._waiting[subscription]
            if not self._waiting:
                self._places.release()
                return
            start = self._next_start()
            members = [each for each, at in self._waiting.items() if at.token == start.token]
            for subscription in members:
                del self._waiting[subscription]
            task = asyncio.create_task(
                _Round(self, self._channel, members, start).run(self._database, self._pipeline)
            )
            self._rounds.add(task)
            task.add_done_callback(self._end_round)

    def _next_start(self) -> Position:
        positions = list(self._waiting.values())
        if self._has_forgotten:
            return sorted(positions, key=cmp_to_key(_compare))[len(positions) // 2]
        if self._rounds or self._is_in_turns:
            return positions[0]
        return min(positions, key=cmp_to_key(_compare))

    def _end_round(self, task: asyncio.Task[None]) -> None:
        self._rounds.discard(task)
        self._places.release()


def _compare(one: Position, other: Position) -> int:
    return one.reaches(other) - other.reaches(one)


class _Round:
    """One change stream through the past, and its members: the followers that get its changes.

    It waits for a member for `PATIENCE` at most. A member that has not taken its changes by then
    leaves the round, and waits for another one when it has taken them.
    """

    def __init__(
        self,
        others: CatchingUp,
        channel: Present,
        members: Sequence[Subscription],
        start: Position,
    ) -> None:
        self._others = others
        self._channel = channel
        self._members = set(members)
        self._position = start

    async def run(self, database: CollectionAccess, pipeline: list[dict[str, Any]]) -> None:
        stream = Stream(database, pipeline, MAX_AWAIT)
        try:
            await stream.open(self._position)
            await self._read(stream)
        except DatabaseUnavailable:
            await asyncio.sleep(RETRY_INTERVAL)
        except FeedGone as error:
            self._finish(gone(error))
            if stream.is_forgotten:
                self._others.forget(self._position, error)
        except StuffError as error:
            # This holds for the members only; others may still succeed.
            self._finish(gone(error))
        except Exception:
            log.exception("Reading past changes failed unexpectedly.")
            self._finish(LATE)
        finally:
            await stream.close()
        for subscription in self._members:
            self._channel.admit(subscription)

    async def _read(self, stream: Stream) -> None:
        """Read until the channel remembers what follows, no member is left, or others want a
        turn."""
        now = asyncio.get_running_loop().time
        end_of_turn = now() + TURN
        while self._members:
            if self._others.is_crowded and now() > end_of_turn:
                self._others.take_turns()
                return
            changes = await stream.next_batch()
            for part in parts(changes, PART_BYTES):
                await self._channel.prepare(part)
                for index, change in enumerate(part, 1):
                    # Join at once, before the channel forgets the change.
                    if self._channel.remembers(change.position):
                        self._give(part[:index], change.position)
                        self._hand_over(change.position)
                        return
                self._give(part, part[-1].position)
                await self._wait_for_members()
            # An answer without changes proves nothing; only the position of the stream does.
            self._give([], stream.position)
            if self._channel.remembers(stream.position):
                self._hand_over(stream.position)
                return
            self._members = {each for each in self._members if each.end is None}
            if not changes:
                await asyncio.sleep(REST)

    def _give(self, changes: Sequence[Change], position: Position) -> None:
        """Give the changes to the members, and add the followers whose positions they pass."""
        of_one: dict[Key, list[Change]] = {}
        for change in changes:
            of_one.setdefault(change.id, []).append(change)

        def give(subscription: Subscription, after: Position | None) -> None:
            wanted = changes if subscription.id is None else of_one.get(subscription.id, ())
            subscription.give(
                [
                    self._channel.encoded(change)
                    for change in wanted
                    if after is None or not after.reaches(change.position)
                ],
                position,
            )

        for subscription in self._members:
            give(subscription, None)
        # Not those further back: the round has read past some of their changes already.
        for subscription, after in self._others.between(self._position, position).items():
            self._members.add(subscription)
            give(subscription, after)
        self._position = position

    def _hand_over(self, position: Position) -> None:
        for subscription in self._members:
            self._channel.join(subscription, position)
        self._members.clear()

    async def _wait_for_members(self) -> None:
        await asyncio.sleep(0)
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                for subscription in self._members:
                    if not subscription.was_slow:
                        await subscription.taken.wait()
        for subscription in list(self._members):
            if not subscription.taken.is_set():
                self._members.discard(subscription)
                subscription.was_slow = True
                subscription.on_taken = partial(self._channel.admit, subscription)

    def _finish(self, end: End) -> None:
        for subscription in self._members:
            subscription.finish(end)
        self._members.clear()
