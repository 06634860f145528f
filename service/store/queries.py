"""What can be done with many documents, by a selection."""

import asyncio
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

from service.documents import codec
from service.documents.query import (
    BY_ID,
    EVERYTHING,
    KeyRange,
    Placement,
    Selection,
    Sort,
    SortKey,
    encode_cursor,
)
from service.errors import (
    DatabaseUnavailable,
    DatabaseUnsupported,
    InvalidParameter,
    QueryTimeout,
    raises,
)
from service.mongo.access import CollectionAccess
from service.mongo.faults import check_reply
from service.mongo.limits import milliseconds
from service.store.slices import SECONDS
from service.store.turns import Turns

MAX_PAGE_BYTES = 16 * 1024 * 1024  # of BSON: a page ends before a document that would exceed it
STREAM_BATCH = 1000  # documents that a stream fetches at once
MAX_ATTEMPTS = 5  # to continue a stream after the database was unavailable
RETRY_DELAY = 0.5  # seconds

Batches: TypeAlias = AsyncGenerator[list[bytes], None]
"""Documents as BSON, as they arrive. The reader must close it."""


@dataclass(frozen=True, slots=True)
class Page:
    """Documents as BSON (with `_stuff` and the fields of the order, whatever the view), and the
    cursor of the next page if there is one."""

    documents: list[bytes]
    next: str | None


class Queries:
    """All documents of one collection.

    Every method raises `DatabaseUnavailable`, `QueryTimeout` if the database works on a command for
    longer than it may, and `InvalidParameter` if it refuses the query.
    """

    def __init__(
        self, name: str, database: CollectionAccess, turns: Turns, query_timeout: float
    ) -> None:
        """`name` is the one in paths, to which cursors are bound."""
        self._name = name
        self._database = database
        self._turns = turns
        self._query_timeout = query_timeout
        self._max_time_ms = milliseconds(query_timeout)

    @raises(InvalidParameter, DatabaseUnavailable, DatabaseUnsupported, QueryTimeout)
    async def page(self, selection: Selection, limit: int) -> Page:
        """At most `limit` documents; fewer if they are large. Costs the same wherever it starts."""
        documents: list[bytes] = []
        size = 0
        async with aclosing(self._scan(selection, limit + 1, self._max_time_ms)) as batches:
            async for batch in batches:
                for document in batch:
                    size += len(document)
                    if len(documents) == limit or (documents and size > MAX_PAGE_BYTES):
                        last = selection.sort.key(codec.decode(documents[-1]))
                        return Page(
                            documents,
                            encode_cursor(selection.filter, selection.sort, last, self._name),
                        )
                    documents.append(document)
        return Page(documents, None)

    @raises(page)
    async def stream(self, selection: Selection, limit: int | None = None) -> Batches:
        """All documents, or at most `limit`, in batches as the database sends them.

        Each document that is not changed meanwhile comes exactly once. After a short outage of the
        database, the stream continues where it was. The reader must close it.
        """
        after = selection.after
        attempts = 0
        has_begun = False
        while True:
            last = None
            here = Selection(selection.filter, selection.sort, after, selection.view)
            try:
                async with aclosing(self._scan(here, limit)) as batches:
                    async for batch in batches:
                        last, attempts, has_begun = batch[-1], 0, True
                        limit = None if limit is None else limit - len(batch)
                        yield batch
                return
            except (DatabaseUnavailable, QueryTimeout):
                attempts += 1
                if not has_begun or attempts == MAX_ATTEMPTS:
                    raise
            if last is not None:
                after = selection.sort.key(codec.decode(last))
            await asyncio.sleep(RETRY_DELAY * attempts)

    @raises(page)
    async def count(self, filter: Mapping[str, Any]) -> int:
        """How many documents match."""
        collection = self._database.collection
        async with self._database.query():
            count: int = await self._database.queries.run(
                lambda: collection.count_documents(filter, maxTimeMS=self._max_time_ms)
            )
        return count

    @raises(page)
    async def delete(self, filter: Mapping[str, Any]) -> int:
        """Delete the documents that match, one by one; returns how many.

        It takes effect after the writes that arrived before it.
        """
        async with (
            self._database.query(),
            self._turns.turn_of_filter(self._database.queries, self._query_timeout) as turn,
        ):
            return await turn.write(lambda: self._delete(filter))

    async def _delete(self, filter: Mapping[str, Any]) -> int:
        # The driver's delete_many takes no time limit.
        collection = self._database.collection
        reply = await collection.database.command(
            "delete",
            collection.name,
            deletes=[{"q": filter, "limit": 0}],
            maxTimeMS=self._max_time_ms,
            writeConcern=collection.write_concern.document,
        )
        check_reply(reply)
        return int(reply["n"])

    async def _scan(
        self, selection: Selection, limit: int | None, max_time_ms: int | None = None
    ) -> Batches:
        """The documents after `selection.after`, range by range."""
        position = selection.after
        spare = 0  # how many more documents to ask for, since some may come before the range
        while True:
            ranges = [EVERYTHING] if position is None else selection.sort.ranges_after(position)
            for range in ranges:
                asked = 0 if limit is None else limit + spare
                found = dropped = 0
                is_over = False
                async with aclosing(self._find(selection, range, asked, max_time_ms)) as batches:
                    async for batch in batches:
                        found += len(batch)
                        wanted = batch
                        if position is not None and selection.sort != BY_ID:
                            wanted, position, is_over = await _after(
                                batch, selection.sort, position, range
                            )
                            dropped += len(batch) - len(wanted)
                        if limit is not None:
                            wanted = wanted[:limit]
                            limit -= len(wanted)
                        if wanted:
                            yield wanted
                        if limit == 0:
                            return
                        if is_over:
                            break
                if dropped and not is_over and found == asked:
                    spare += 2 * dropped
                    break
            else:
                return

    async def _find(
        self, selection: Selection, range: KeyRange, limit: int, max_time_ms: int | None
    ) -> Batches:
        batches = self._database.model.find_batches(
            selection.conditions(range),
            share=self._database.queries,
            sort=selection.sort.fields,
            projection=selection.projection(),
            limit=limit,
            batch_size=min(limit, STREAM_BATCH) or STREAM_BATCH,
            max_time_ms=max_time_ms,
        )
        async with aclosing(batches):
            while True:
                async with self._database.query():
                    batch = await anext(batches, None)
                if batch is None:
                    return
                if batch:
                    yield batch


async def _after(
    batch: list[bytes], sort: Sort, position: SortKey, range: KeyRange
) -> tuple[list[bytes], SortKey, bool]:
    """The documents of a batch that come after a position, the position after them, and whether the
    range ends."""
    kept: list[bytes] = []
    end = time.perf_counter() + SECONDS
    for document in batch:
        if time.perf_counter() > end:
            await asyncio.sleep(0)  # let other requests run
            end = time.perf_counter() + SECONDS
        placement, key = sort.placement(codec.decode(document), position, range)
        if placement is Placement.AFTER:  # and so are all that follow
            return kept, position, True
        if placement is Placement.WITHIN:
            kept.append(document)
            position = key
    return kept, position, False
