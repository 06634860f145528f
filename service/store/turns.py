"""Turns: the writes of one id go one after the other, in the order of their arrival.

A turn does not end when its client is answered, but when none of its calls of the driver can take
effect any more: Motor's threads continue when their futures are cancelled, and the database may
carry out what was sent even if nobody waits for it. Turns do not wait for the writes of other
processes.

The ids of a delete by a filter are not known. It waits for the writes that arrived before it, goes
on beside those that arrive later, and makes these wait only if its client is answered before it
has ended.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol

from service.documents.ids import Key
from service.mongo.access import CollectionAccess
from service.mongo.shares import Share
from service.store.calls import Calls


class Claimant(Protocol):
    """A write that waits for its turn."""

    def begin(self) -> None:
        """Called once, when its turn begins; `Turns.leave` must follow."""


class Turns:
    """The turns of all documents of a collection in this process.

    Keeps an entry for an id only during a turn; claimants that stop waiting withdraw.
    """

    def __init__(self, database: CollectionAccess) -> None:
        self._database = database
        # The waiting claimants by the id of the write that has its turn; None before the first one.
        self._waiting: dict[Key, OrderedDict[Claimant, None] | None] = {}
        self._holds = 0
        self._held: OrderedDict[tuple[Key, Claimant], None] = OrderedDict()

    def enter(self, id: Key, claimant: Claimant) -> bool:
        """Whether the claimant's turn begins at once; otherwise its `begin` is called later."""
        if self._holds:
            self._held[id, claimant] = None
            return False
        if id not in self._waiting:
            self._waiting[id] = None
            return True
        waiting = self._waiting[id]
        if waiting is None:
            waiting = self._waiting[id] = OrderedDict()
        waiting[claimant] = None
        return False

    def withdraw(self, id: Key, claimant: Claimant) -> bool:
        """Stop waiting. False if the claimant did not wait, e.g. because it has its turn."""
        if (id, claimant) in self._held:
            del self._held[id, claimant]
            return True
        waiting = self._waiting.get(id)
        if not waiting or claimant not in waiting:
            return False
        del waiting[claimant]
        return True

    def is_last(self, id: Key, claimant: Claimant) -> bool:
        """Whether the claimant waits, and no other write of the id has arrived after it."""
        if self._held:
            return next(reversed(self._held)) == (id, claimant)
        waiting = self._waiting.get(id)
        if not waiting:
            return False
        return next(reversed(waiting)) is claimant

    def leave(self, id: Key, delay: float = 0.0) -> None:
        """End the turn, `delay` seconds from now, and begin the next one."""
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, self.leave, id)
            return
        waiting = self._waiting[id]
        if waiting:
            claimant, _ = waiting.popitem(last=False)
            claimant.begin()
        else:
            del self._waiting[id]

    def hold(self) -> None:
        """Let every write that arrives from now on wait until `release`, whatever its id."""
        self._holds += 1

    def release(self, delay: float = 0.0) -> None:
        """End a `hold`, `delay` seconds from now."""
        if delay > 0:
            asyncio.get_running_loop().call_later(delay, self.release)
            return
        self._holds -= 1
        if self._holds == 0 and self._held:
            held, self._held = self._held, OrderedDict()
            for id, claimant in held:
                if self.enter(id, claimant):
                    claimant.begin()

    def turn(self, ids: Collection[Key], share: Share) -> "Turn":
        """The turn of all these ids at once; its calls are made in the share."""
        return Turn([(self, id) for id in ids], self._database, share)

    def turn_of_filter(self, share: Share, max_seconds: float) -> "FilterTurn":
        """The turn of a write of unknown ids, on which the database works for at most
        `max_seconds`; its calls are made in the share."""
        return FilterTurn(self, self._database, share, max_seconds)

    async def wait_for_earlier(self) -> None:
        """Wait until every write that has arrived until now has had its turn."""
        ids = dict.fromkeys([*self._waiting, *(id for id, _ in self._held)])
        followers = [_Follower(self, id) for id in ids]
        for follower in followers:
            self.enter(follower.id, follower)  # which waits: the id is taken
        try:
            for follower in followers:
                await follower.has_begun.wait()
        finally:
            for follower in followers:
                self.withdraw(follower.id, follower)


@dataclass(slots=True, eq=False)
class _Follower:
    """Waits for the earlier writes of an id, but does not keep the later ones waiting."""

    turns: Turns
    id: Key
    has_begun: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self) -> None:
        self.has_begun.set()
        # Not at once: many that follow one another would end in a deep recursion.
        asyncio.get_running_loop().call_soon(self.turns.leave, self.id)


class Turn(Calls):
    """A context in which some documents may be written. Entering waits for the turn of each.

    It enters all queues at once, of however many collections, so that no two turns can wait for
    each other.
    """

    def __init__(
        self, entries: Sequence[tuple[Turns, Key]], database: CollectionAccess, share: Share
    ) -> None:
        """`entries` are the ids, each with the turns of its collection."""
        super().__init__(database, share)
        self._entries = entries
        self._missing = 0
        self._begun: asyncio.Future[None] | None = None

    def begin(self) -> None:
        self._missing -= 1
        if self._missing == 0 and self._begun is not None and not self._begun.done():
            self._begun.set_result(None)

    async def __aenter__(self) -> "Turn":
        self._missing = sum(not turns.enter(id, self) for turns, id in self._entries)
        if self._missing:
            self._begun = asyncio.get_running_loop().create_future()
            try:
                await self._begun
            except BaseException:
                for turns, id in self._entries:
                    if not turns.withdraw(id, self):
                        turns.leave(id)
                raise
        return self

    def left(self, delay: float) -> None:
        for turns, id in self._entries:
            turns.leave(id, delay)


class FilterTurn(Calls):
    """A context in which any document may be written. Entering waits for the writes that have
    arrived; those that arrive after it wait until its calls have ended."""

    def __init__(
        self, turns: Turns, database: CollectionAccess, share: Share, max_seconds: float
    ) -> None:
        super().__init__(database, share)
        self._turns = turns
        self._max_seconds = max_seconds

    async def __aenter__(self) -> "FilterTurn":
        await self._turns.wait_for_earlier()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._turns.hold()  # for a moment only if the calls have ended
        await super().__aexit__(kind, error, traceback)

    def left(self, delay: float) -> None:
        self._turns.release(delay)

    def may_land_for(self, error: BaseException, started: float) -> float:
        return self._database.limits.may_delete_for(error, started, self._max_seconds)
