"""From a file into a server, by several requests at once."""

import asyncio
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import orjson

from service.client.files import FileFault
from service.documents.ids import new_id

CHUNK_COUNT = 2000  # documents in one request
CHUNK_BYTES = 1024 * 1024
MAX_NAMED = 100
RETRY_DELAY = 0.25  # seconds, doubled up to:
MAX_RETRY_DELAY = 5.0


class TransferFault(Exception):
    """The server cannot be used, or not any more; the message says why."""


@dataclass(slots=True)
class ImportSummary:
    """What became of the documents. `failures` has the first of them."""

    created: int = 0
    replaced: int = 0
    failed: int = 0
    repeated: int = 0  # sent again, since no answer came: if they are new, they count as replaced
    bytes: int = 0
    failures: list[tuple[int, str]] = field(default_factory=list)

    @property
    def stored(self) -> int:
        return self.created + self.replaced


@dataclass(slots=True)
class _Chunk:
    """Lines for one request, with their numbers in the file."""

    numbers: list[int] = field(default_factory=list)
    lines: list[bytes] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)
    size: int = 0

    def add(self, number: int, line: bytes, id: str | None) -> None:
        self.numbers.append(number)
        self.lines.append(line)
        self.size += len(line)
        if id is not None:
            self.ids.add(id)

    def is_full(self) -> bool:
        return len(self.lines) >= CHUNK_COUNT or self.size >= CHUNK_BYTES


class Importer:
    """Sends documents. A document without an `_id` gets one here, so that sending it again, when
    the connection broke before an answer came, makes no second one.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        requests: int,
        patience: float,
    ) -> None:
        self._client = client
        self._requests = requests
        self._patience = patience
        self.on_progress: Callable[[ImportSummary], None] = lambda _: None
        self.summary = ImportSummary()

    async def run(self, records: Iterable[tuple[int, bytes]]) -> None:
        """Send all records. Raises `TransferFault`, and what reading the records raises, when what
        was sent before is settled. Documents with the same id are stored in their order."""
        under_way: dict[asyncio.Task[None], set[str]] = {}
        chunks = _chunks(records)
        try:
            while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                while len(under_way) >= self._requests or any(
                    not ids.isdisjoint(chunk.ids) for ids in under_way.values()
                ):
                    done, _ = await asyncio.wait(under_way, return_when="FIRST_COMPLETED")
                    for task in done:
                        del under_way[task]
                        task.result()
                under_way[asyncio.create_task(self._send(chunk))] = chunk.ids
        finally:
            results = await asyncio.gather(*under_way, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _send(self, chunk: _Chunk) -> None:
        deadline = time.monotonic() + self._patience
        delay = RETRY_DELAY
        while True:
            try:
                response = await self._client.post(
                    "/stuff",
                    content=b"\n".join(chunk.lines),
                    headers={"Content-Type": "application/x-ndjson"},
                )
            except httpx.TransportError as error:
                self.summary.repeated += len(chunk.lines)
                problem = f"{type(error).__name__}: {error}"
            else:
                report = _json(response)
                if response.status_code == 200:
                    self._count(report, chunk, len(chunk.lines))
                    return
                problem = f"{response.status_code} {report.get('detail', response.reason_phrase)}"
                settled = report.get("lines", 0)
                if settled:  # and not what is behind these
                    self._count(report, chunk, settled)
                    chunk = _Chunk(chunk.numbers[settled:], chunk.lines[settled:], chunk.ids)
                    deadline = time.monotonic() + self._patience
                if response.status_code not in (429, 502, 503, 504):
                    raise TransferFault(f"The server refuses the documents: {problem}")
            if time.monotonic() + delay > deadline:
                raise TransferFault(f"The server is away. {problem}")
            await asyncio.sleep(delay)
            delay = min(delay * 2, MAX_RETRY_DELAY)

    def _count(self, report: dict[str, Any], chunk: _Chunk, settled: int) -> None:
        summary = self.summary
        summary.created += report["created"]
        summary.replaced += report["replaced"]
        summary.failed += report["failed"]
        summary.bytes += sum(map(len, chunk.lines[:settled]))
        for error in report.get("errors", []):
            if len(summary.failures) < MAX_NAMED:
                number = chunk.numbers[error["line"] - 1]
                summary.failures.append((number, error["detail"]))
        self.on_progress(summary)


def _chunks(records: Iterable[tuple[int, bytes]]) -> Iterator[_Chunk]:
    chunk = _Chunk()
    try:
        for number, record in records:
            if not record.strip():
                continue
            line, id = _identified(record)
            chunk.add(number, line, id)
            if chunk.is_full():
                yield chunk
                chunk = _Chunk()
    except (OSError, FileFault):
        if chunk.lines:  # what could be read is sent
            yield chunk
        raise
    if chunk.lines:
        yield chunk


def _identified(record: bytes) -> tuple[bytes, str | None]:
    """The record with an `_id`, and that; as it is if it is no document, which the server tells."""
    try:
        value = orjson.loads(record)
    except orjson.JSONDecodeError:
        return record, None
    if not isinstance(value, dict):
        return record, None
    if "_id" in value:
        return record, value["_id"] if isinstance(value["_id"], str) else None
    id = new_id()
    rest = record.lstrip()[1:]
    return b'{"_id":"%s"%s%s' % (id.encode(), b"," if value else b"", rest), id


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
