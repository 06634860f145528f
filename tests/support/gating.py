"""A gate before the round trips of batches, which steers their timing."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from service.documents.ids import Id
from service.store.batching.lane import Lane, Operation
from tests.support.patience import TIMEOUT


class Gate:
    """Holds back every round trip until it is opened, and remembers what each was to do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[list[Id]] = []
        self._open = asyncio.Event()
        settle = Lane._settle

        async def gated(lane: Lane[Any], batch: Sequence[Operation[Any]]) -> None:
            self.sent.append([operation.id for operation in batch])
            await self._open.wait()
            await settle(lane, batch)

        monkeypatch.setattr(Lane, "_settle", gated)

    def open(self) -> None:
        self._open.set()

    async def holds(self, round_trips: int) -> None:
        """Wait until so many have come, and a little for one too many."""
        async with asyncio.timeout(TIMEOUT):
            while len(self.sent) < round_trips:
                await asyncio.sleep(0.001)
        await asyncio.sleep(0.02)
        assert len(self.sent) == round_trips


async def start(*coroutines: Any) -> list[asyncio.Task[Any]]:
    started = [asyncio.create_task(coroutine) for coroutine in coroutines]
    await asyncio.sleep(0)
    return started
