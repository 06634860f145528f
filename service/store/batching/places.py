"""The round trips that all collections may make at once."""

from collections import OrderedDict
from typing import Protocol


class Claimant(Protocol):
    """A lane that has operations, and too few places for them."""

    def begin(self) -> None:
        """Called once when a place is free: take it, or leave it to the next one."""


class Places:
    """A bounded number of round trips of one kind, for the lanes of all collections together.

    A busy lane keeps its place from batch to batch, but only while no other lane waits: so each
    collection is served after the batches that are under way, whatever the others do.
    """

    def __init__(self, count: int) -> None:
        self.count = count
        self._free = count
        self._waiting: OrderedDict[Claimant, None] = OrderedDict()

    @property
    def are_wanted(self) -> bool:
        """Whether another lane waits for a place."""
        return bool(self._waiting)

    def take(self, claimant: Claimant) -> bool:
        """Take a place. If none is free, the claimant's `begin` is called as soon as one is."""
        if self._free:
            self._free -= 1
            return True
        self._waiting[claimant] = None
        return False

    def give_back(self) -> None:
        self._free += 1
        while self._free and self._waiting:
            claimant, _ = self._waiting.popitem(last=False)
            claimant.begin()
