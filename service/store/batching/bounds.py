"""What the batchers of all collections share."""

import asyncio
from dataclasses import dataclass, field

from service.settings import Settings
from service.store.batching.places import Places

KINDS = ("read", "upsert", "delete")


@dataclass(slots=True)
class Batching:
    """The bounds and the tasks of round trips, one for a process."""

    settings: Settings
    tasks: asyncio.TaskGroup
    places: dict[str, Places] = field(init=False)
    """By the kind of operation."""

    def __post_init__(self) -> None:
        self.places = {kind: Places(self.settings.round_trips) for kind in KINDS}
