"""What a played database was asked."""

import time
from dataclasses import dataclass, field
from typing import Any

from tests.support.database.answers import WAIT
from tests.support.database.signals import Signal


@dataclass(frozen=True)
class Asked:
    """A command that has arrived."""

    name: str
    command: dict[str, Any]
    connection: int
    time: float = field(default_factory=time.monotonic)


@dataclass(frozen=True)
class Fault:
    """A command that MongoDB would not have accepted, or for which the test has no answer."""

    asked: Asked
    reason: str

    def __str__(self) -> str:
        return f"{self.asked.name}: {self.reason} in {self.asked.command}"


class Ledger:
    """The commands that have arrived, in their order. From any thread."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self._arrived = Signal()

    def record(self, asked: Asked) -> None:
        self.asked.append(asked)
        self._arrived.notify()

    def commands(self, name: str) -> list[dict[str, Any]]:
        """Those of this name that have arrived so far."""
        return [asked.command for asked in list(self.asked) if asked.name == name]

    async def until_asked(self, name: str, count: int = 1) -> None:
        """Wait until so many commands of this name have arrived, from the beginning."""

        def has_come() -> bool:
            return len(self.commands(name)) >= count

        assert await self._arrived.wait_for(has_come, WAIT), f"no {name}"

    def check(self) -> None:
        """Raises `AssertionError` if a command came that MongoDB would not have accepted."""
        assert not self.faults, "\n".join(map(str, self.faults))
