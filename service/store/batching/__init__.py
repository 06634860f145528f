"""Micro-batching: one driver call serves many requests.

A driver call costs several times as much as everything else about a request, and for many documents
hardly more than for one. So, while a round trip to the database is under way, the operations that
arrive wait for the next one. With one client nothing waits; with many, each call serves dozens.

What holds, and why:

A read sees every write that was acknowledged before the read arrived.
    A read joins an operation only while that waits: an operation leaves the queue before it is sent
    (`Reads.find`, `Reads.next_batch`).
The writes of one id take effect one after the other, in their order of arrival.
    Only the first of them is in a queue or on its way; the others wait for their turn
    (`store.turns`), and so do conditional writes, patches and loads. A turn ends when the write
    cannot take effect any more: when the driver's thread has returned (`Lane._settle`), or, if it
    returned without an answer, at the deadline that the database was sent
    (`mongo.limits`).
A fault of one operation affects no other.
    The database answers for each operation of a bulk by itself. If it refuses a batch as a whole,
    each operation is sent alone (`Lane._settle_each`).
A cancelled request affects only itself.
    Each request waits for a future of its own. A batch continues when one of its requests is
    cancelled or out of time. An operation that nobody waits for any more is not sent, and keeps no
    memory (`Lane.withdraw`).
No request waits longer than an operation may take, in the queue and on the way together
(`Lane.wait`). A round trip may take longer than its requests wait: it keeps its place until the
driver's thread has returned, so that the threads are bounded too. Operations that have waited for
long get another round trip beside it (`Lane._start_beside`).

Each collection has batchers of its own. Their round trips together are bounded, and no collection
waits for another one for longer than a batch (`Places`).
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service.settings import Settings
from service.store.batching.bounds import Batching
from service.store.batching.reads import Reads
from service.store.batching.writes import Writes

__all__ = ["Batching", "Reads", "Writes", "open_batching"]


@asynccontextmanager
async def open_batching(settings: Settings) -> AsyncIterator[Batching]:
    """What batchers share, for a lifespan; at its end they finish what is under way, in the time
    that an operation may take."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(None) as limit, asyncio.TaskGroup() as tasks:
            yield Batching(settings, tasks)
            limit.reschedule(loop.time() + settings.operation_timeout)
    except TimeoutError:
        if not limit.expired():
            raise
