"""Micro-batching: one driver call serves many requests.

A driver call costs several times what everything else about a request costs, and for many documents
hardly more than for one. So, while a round trip to the database is under way, the operations that
arrive wait for the next one. With one client nothing waits; with many, each call serves dozens.

What holds, and why:

A read sees every write that was acknowledged before the read arrived.
    It joins an operation only as long as that waits: what is sent has left the queue before
    (`Reads.find`, `Reads.next_batch`).
The writes of one id are made one after the other, in their order of arrival.
    Only the first of them is in a queue or on its way; the others stand behind it (`_Order`).
A fault of one operation is nobody else's.
    The database answers for each operation of a bulk by itself. If it refuses a batch as a whole,
    each operation is sent alone (`Lane._settle`).
Who leaves, leaves alone.
    Each request waits for a future of its own. A batch goes on when one of its requests is
    cancelled or out of time. What nobody waits for any more is not sent (`next_batch`).
Nobody waits longer than an operation may take, in the queue and on the way together (`Lane.wait`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.mongo.database import Database
from service.settings import Settings
from service.store.batching.reads import Reads
from service.store.batching.writes import Writes

__all__ = ["Reads", "Writes", "open_batchers"]


@asynccontextmanager
async def open_batchers(
    database: Database, settings: Settings
) -> AsyncIterator[tuple[Reads, Writes]]:
    """The batchers for a lifespan; at its end they finish what is under way."""
    async with asyncio.TaskGroup() as tasks:
        yield Reads(database, settings, tasks), Writes(database, settings, tasks)
