"""What the batchers of all collections share."""

import asyncio
from dataclasses import dataclass, field

from service.settings import Settings
from service.store.batching.places import Places

KINDS = ("read", "upsert", "delete")

# These are no settings: `bench/README.md` has what was measured with other values, in front of
# databases at several distances.

MAX_COUNT = 64
"""Documents in one call of the database. With 16, each costs a quarter more processor time. With
1024, the embedded engine finds each of them more slowly."""

MAX_BYTES = 2**20
"""Bytes in a call of several documents. The driver would split more than 48 MB, document by
document, into several commands."""

ROUND_TRIPS = 4
"""Calls of each kind at once, for a process. More than one, so that a call that takes long does not
hold up all others."""


@dataclass(slots=True)
class Batching:
    """The bounds and the tasks of round trips, one for a process."""

    settings: Settings
    tasks: asyncio.TaskGroup
    max_count: int = field(default_factory=lambda: MAX_COUNT)
    max_bytes: int = field(default_factory=lambda: MAX_BYTES)
    round_trips: int = field(default_factory=lambda: ROUND_TRIPS)
    places: dict[str, Places] = field(init=False)
    """By the kind of operation."""

    def __post_init__(self) -> None:
        self.places = {kind: Places(self.round_trips) for kind in KINDS}
