"""Loads: a stream of lines, each a document, stored as it arrives."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from service.documents.ids import Ids, Key, key_of
from service.documents.metadata import Layout
from service.documents.parsing import parse_extended_line, parse_line
from service.errors import BodyTooLarge, StuffError, Unavailable
from service.mongo.access import CollectionAccess
from service.mongo.upserts import Outcome, upsert
from service.store.budget import CHUNK_OVERHEAD, Budget
from service.store.checking import Checks
from service.store.slices import Slices
from service.store.turns import Turns

BATCH_COUNT = 1000  # documents in one call of the database
BATCH_BYTES = 4 * 1024 * 1024
MAX_NAMED = 1000
"""Failed lines that are reported; all are counted."""
MAX_SAID = 256 * 1024
"""Characters of the details and pointers in a report."""


Line: TypeAlias = bytes | StuffError
"""A line, or why it cannot be read."""


LineFormat = Literal["json", "extended"]
"""JSON, whose ids are canonical strings, or Extended JSON, whose ids have any type."""


@dataclass(frozen=True, slots=True)
class Lines:
    """A stream of documents, one per line, as it arrives."""

    chunks: AsyncIterator[bytes]
    form: LineFormat


@dataclass(slots=True)
class Report:
    """The result of the first `lines` lines of a stream, empty ones included."""

    lines: int = 0
    created: int = 0
    replaced: int = 0
    failed: int = 0
    failures: list[tuple[int, StuffError]] = field(default_factory=list)  # line numbers from 1
    said: int = 0

    def fail(self, line: int, error: StuffError) -> None:
        self.failed += 1
        if len(self.failures) < MAX_NAMED and self.said < MAX_SAID:
            self.failures.append((line, error))
            self.said += len(error.detail) + len(str(error.members.get("pointer", "")))


@dataclass(slots=True)
class _Batch:
    """Documents that are stored together, and the lines that are settled with them."""

    last_line: int
    documents: dict[Key, tuple[int, bytes]] = field(default_factory=dict)  # line, BSON
    faults: list[tuple[int, StuffError]] = field(default_factory=list)
    size: int = 0

    def fail(self, line: int, error: StuffError) -> None:
        # These would keep the line in memory, and what was parsed of it.
        error.__traceback__ = error.__context__ = error.__cause__ = None
        self.faults.append((line, error))

    def is_full(self) -> bool:
        count = max(len(self.documents), len(self.faults))
        return count >= BATCH_COUNT or self.size >= BATCH_BYTES


class Loader:
    """Stores many documents in one collection."""

    def __init__(
        self,
        database: CollectionAccess,
        turns: Turns,
        budget: Budget,
        slices: Slices,
        max_line_bytes: int,
        ids: Ids,
        layout: Layout,
        checks: Checks | None = None,
    ) -> None:
        self._ids = ids
        self._layout = layout
        self._checks = checks
        self._database = database
        self._turns = turns
        self._budget = budget
        self._slices = slices
        self._max_line_bytes = max_line_bytes

    async def load(self, lines: Lines, report: Report) -> None:
        """Store each line of the stream as a put would: under its `_id`, or under one that is made.

        A line that cannot be stored is reported, and affects no other. Lines with the same id are
        stored in their order. Raises `DatabaseUnavailable`, `Overloaded` if the process cannot hold
        what has arrived, and what reading the stream raises; the report then says how far the load
        has come. Keeps a line and two batches in memory at most: one is read while another is
        stored.
        """
        load = _Load(
            self._database,
            self._turns,
            self._slices,
            lines.form,
            report,
            self._ids,
            self._layout,
            self._checks,
        )
        split = _Splitter(self._max_line_bytes)
        with self._budget.claim() as claim:
            try:
                async for chunk in lines.chunks:
                    await load.add_all(split.split(chunk))
                    claim.hold(split.size + load.size)
                    await asyncio.sleep(0)  # let other requests run
                await load.add_all(split.end())
                await load.finish()
            finally:
                await load.abandon()


class _Load:
    """One stream being stored: a batch is read while another one is stored."""

    def __init__(
        self,
        database: CollectionAccess,
        turns: Turns,
        slices: Slices,
        form: LineFormat,
        report: Report,
        ids: Ids,
        layout: Layout,
        checks: Checks | None,
    ) -> None:
        self._ids = ids
        self._layout = layout
        self._checks = checks
        self._database = database
        self._turns = turns
        self._slices = slices
        self._form = form
        self._report = report
        self._batch = _Batch(0)
        self._storing: asyncio.Task[None] | None = None
        self._stored_size = 0  # of the batch that is being stored
        self._most_are_new = True

    @property
    def size(self) -> int:
        """The bytes of documents that are in memory."""
        return self._batch.size + self._stored_size

    async def add_all(self, lines: list[Line]) -> None:
        for line in lines:
            if line == b"":  # a small compressed body can contain very many
                self.skip()
            else:
                await self.add(line)

    async def add(self, line: Line) -> None:
        batch = self._batch
        number = batch.last_line + 1
        if isinstance(line, StuffError):
            batch.fail(number, line)
        elif line.strip():
            try:
                element, fields = await self._parse(line)
                if self._checks is not None:
                    fields = await self._checks.check(fields)
                id = key_of(element)
                new = self._layout.new(element, fields).bson
            except StuffError as error:
                batch.fail(number, error)
            else:
                if id in batch.documents:  # one command must not write it twice
                    await self._store_batch()
                    batch = self._batch
                batch.documents[id] = number, new
                batch.size += len(new)
        batch.last_line = number
        if batch.is_full():
            await self._store_batch()

    async def _parse(self, line: bytes) -> tuple[bytes, bytes]:
        """The element `_id` and the fields (BSON)."""
        if self._form == "json":
            return parse_line(line, self._ids)
        return await self._slices.run(parse_extended_line(line, self._ids), len(line))

    def skip(self) -> None:
        """Count an empty line."""
        self._batch.last_line += 1

    async def finish(self) -> None:
        await self._store_batch()
        await self._stored()

    async def abandon(self) -> None:
        """Let the batch that was sent to the database finish, and store nothing more."""
        if self._storing is not None:
            with suppress(Exception):
                await asyncio.shield(self._storing)

    async def _store_batch(self) -> None:
        await self._stored()
        batch, self._batch = self._batch, _Batch(self._batch.last_line)
        self._stored_size = batch.size
        self._storing = asyncio.create_task(self._store(batch))

    async def _stored(self) -> None:
        if self._storing is not None:
            await asyncio.shield(self._storing)
            self._storing = None
            self._stored_size = 0

    async def _store(self, batch: _Batch) -> None:
        """Write the documents, and report the lines of the batch."""
        outcomes: dict[Key, Outcome] = {}
        if batch.documents:
            documents = {id: bson for id, (_, bson) in batch.documents.items()}
            async with (
                self._database.operation(),
                self._turns.turn(documents, self._database.loads) as turn,
            ):
                outcomes = await turn.write(lambda: self._upsert(documents))
        faults = list(batch.faults)
        created = 0
        for id, outcome in outcomes.items():
            if isinstance(outcome, StuffError):
                faults.append((batch.documents[id][0], outcome))
            else:
                created += outcome
        # Inserting costs less than replacing, unless the document exists.
        self._most_are_new = created * 2 >= len(batch.documents)
        report = self._report
        for line, error in sorted(faults, key=lambda fault: fault[0]):
            report.fail(line, error)
        report.created += created
        stored = len(batch.documents) - (len(faults) - len(batch.faults))
        report.replaced += stored - created
        report.lines = batch.last_line

    async def _upsert(self, documents: dict[Key, bytes]) -> dict[Key, Outcome]:
        """Raises `Unavailable`: this line, and perhaps all that follow, can be sent again."""
        outcomes = await upsert(
            self._database.collection, documents, insert_first=self._most_are_new
        )
        unavailable = [fault for fault in outcomes.values() if isinstance(fault, Unavailable)]
        if unavailable:
            # The one for which the turn lasts longest.
            limits, now = self._database.limits, time.monotonic()
            raise max(unavailable, key=lambda fault: limits.may_land_for(fault, now))
        return outcomes


class _Splitter:
    """The lines of a stream that arrives in chunks; an error in place of a line that is too
    long."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest: list[bytes] = []  # of the last line, not kept beyond the limit
        self._length = 0

    @property
    def size(self) -> int:
        """The bytes of an incomplete line that are in memory."""
        return self._length + CHUNK_OVERHEAD * len(self._rest) if self._rest else 0

    def split(self, chunk: bytes) -> list[Line]:
        """The lines that are complete with this chunk."""
        first, *whole = chunk.split(b"\n")
        self._rest.append(first)
        self._length += len(first)
        found: list[Line] = []
        if whole:
            end = whole.pop()
            found.append(self._line(self._rest, self._length))
            if len(chunk) <= self._max_bytes:
                found += whole
            else:
                found += [self._line([line], len(line)) for line in whole]
            self._rest, self._length = [end], len(end)
        if self._length > self._max_bytes:
            self._rest.clear()
        return found

    def end(self) -> list[Line]:
        """The last line, if it has no end."""
        return [self._line(self._rest, self._length)] if self._length else []

    def _line(self, parts: list[bytes], length: int) -> Line:
        return BodyTooLarge(self._max_bytes) if length > self._max_bytes else b"".join(parts)
