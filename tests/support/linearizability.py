"""Whether a history of concurrent operations on one document can have happened in some order.

The algorithm of Wing and Gong ("Testing and Verifying Concurrent Objects", 1993), which remembers
where it has been, as Lowe has it ("Testing for Linearizability", 2017). Each value is written once:
it cannot be overwritten before all have read it who did.
"""

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Operation: TypeAlias = Literal["put", "create", "replace", "patch", "get", "delete"]
ANY = object()
UNKNOWN = -1
"""Instead of a value that no operation has seen."""


@dataclass(frozen=True)
class Event:
    """An operation between two moments, and its answer: of `put`, whether the document was created;
    of `get`, the value or None; of the others, whether it was done: `create` if there was none yet,
    `replace` if the value was still the one that was `seen`, `patch` and `delete` if there was one.

    What was never answered may happen at any time, or never: its end is infinity. If it was given
    up at a known moment, it may happen until a write that started after that is acknowledged: later
    it would undo the other one, which linearizability alone allows.
    """

    start: float
    end: float
    operation: Operation
    value: int | None = None  # to be put
    answer: Any = None  # `ANY` if it does not tell
    seen: int | None = None
    given_up: float = math.inf

    @property
    def is_answered(self) -> bool:
        return self.end < math.inf

    @property
    def is_acknowledged_write(self) -> bool:
        """Whether its answer says that it has changed the document."""
        if self.operation == "put":  # false if it replaced another
            return self.is_answered
        return self.is_answered and self.operation != "get" and self.answer is True

    def fits(self, state: int | None) -> bool:
        """Whether the answer is what a document with this value, or none, answers."""
        match self.operation:
            case "put" | "create":
                expected: Any = state is None
            case "delete" | "patch":
                expected = state is not None
            case "replace":
                expected = state == self.seen
            case "get":
                expected = state
        return not self.is_answered or self.answer is ANY or self.answer == expected

    def leaves(self, state: int | None) -> int | None:
        """The value afterwards."""
        match self.operation:
            case "get":
                return state
            case "create":
                return self.value if state is None else state
            case "patch":
                return None if state is None else self.value
            case "replace":
                return self.value if state == self.seen else state
        return self.value


def is_linearizable(history: Sequence[Event]) -> bool:
    """Whether the history can be that of a document, used by one after the other; first it is not
    there."""
    events = sorted(history, key=lambda event: event.start)
    answered = sum(1 << index for index, event in enumerate(events) if event.is_answered)
    readers: dict[int | None, int] = defaultdict(int)
    for index, event in enumerate(events):
        if event.operation == "get" and event.is_answered and event.answer is not None:
            readers[event.answer] |= 1 << index
    known = readers.keys() | {event.seen for event in events}
    settled = [_settled_by(event, events) for event in events]
    seen: set[tuple[int, int | None]] = set()
    pending: list[tuple[int, int | None]] = [(0, None)]
    while pending:
        done, state = pending.pop()
        if done & answered == answered:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        following = []
        tried: set[tuple[Operation, int | None]] = set()
        # Of several that might do the same, the first is the one that can do so least long.
        for index, event in sorted(_next(events, done), key=lambda item: item[1].given_up):
            after = event.leaves(state)
            changes = after != state
            if not event.fits(state) or (after != state and readers.get(state, 0) & ~done):
                continue
            if after is not None and after not in known:
                after = UNKNOWN  # what nobody has seen is all the same
            if not event.is_answered and after in (UNKNOWN, state, None):
                # Of several that might have done the same, one is as good as another.
                if after == state or (event.operation, event.seen) in tried:
                    continue
                tried.add((event.operation, event.seen))
            if not changes and event.is_answered and not settled[index]:
                # Whatever changes nothing and may come now need not come later.
                following = [(done | 1 << index, after)]
                break
            following.append((done | 1 << index | settled[index], after))
        pending += following
    return False


def _settled_by(event: Event, events: Sequence[Event]) -> int:
    """Those that cannot take effect any more when this one has: a bit for the index of each."""
    if not event.is_acknowledged_write:
        return 0
    return sum(1 << index for index, other in enumerate(events) if other.given_up < event.start)


def _next(events: Sequence[Event], done: int) -> Iterator[tuple[int, Event]]:
    """What may come next: what had started when the first of all that are left ended."""
    first_end = math.inf
    found = []
    for index in range((~done & (done + 1)).bit_length() - 1, len(events)):
        event = events[index]
        if event.start > first_end:
            break
        if not done >> index & 1:
            first_end = min(first_end, event.end)
            found.append((index, event))
    return ((index, event) for index, event in found if event.start <= first_end)
