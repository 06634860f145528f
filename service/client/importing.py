"""Import: from a file into a server, by several concurrent requests."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from service.client.errors import FileError, ServerUnavailable
from service.client.http import checked, detailed
from service.client.ids import IdsOf
from service.client.lines import NDEJSON, UNNAMED, key_of_record, named
from service.client.retrying import Retries
from service.documents.ids import Ids, Key

CHUNK_COUNT = 2000  # documents in one request
CHUNK_BYTES = 1024 * 1024
MAX_NAMED = 100
UNSENT = (httpx.ConnectError, httpx.ConnectTimeout)


@dataclass(slots=True)
class ImportSummary:
    """The result of an import. `failures` has the lines and reasons of the first failures."""

    created: int = 0
    replaced: int = 0
    failed: int = 0
    repeated: int = 0  # sent again because no answer came: new ones may count as replaced
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
    ids: set[Key] = field(default_factory=set)
    unnamed: list[int] = field(default_factory=list)
    """The places of the lines that have no id."""
    size: int = 0

    def add(self, number: int, line: bytes, id: Key | None) -> None:
        if id is UNNAMED:
            self.unnamed.append(len(self.lines))
        elif id is not None:
            self.ids.add(id)
        self.numbers.append(number)
        self.lines.append(line)
        self.size += len(line)

    def name(self, ids: Ids) -> None:
        """Give each line an id that has none. Integers are not made: the server says so."""
        for place in self.unnamed if ids.made else ():
            self.lines[place] = named(self.lines[place], ids.new())

    def is_full(self) -> bool:
        return len(self.lines) >= CHUNK_COUNT or self.size >= CHUNK_BYTES


class Importer:
    """Sends documents, as lines of this media type. A document without an `_id` gets one here, so
    that it is not created twice if it is sent again because the connection broke before the answer.
    """

    def __init__(
        self,
        client: httpx.AsyncClient,
        requests: int,
        patience: float,
        media_type: str = NDEJSON,
        collection: str = "stuff",
    ) -> None:
        self._client = client
        self._path = f"/{collection}"
        self._ids = IdsOf(client, collection)
        self._requests = requests
        self._patience = patience
        self._media_type = media_type
        self.on_progress: Callable[[ImportSummary], None] = lambda _: None
        self.on_wait: Callable[[str], None] = lambda _: None
        self.summary = ImportSummary()

    async def run(self, records: Iterable[tuple[int, bytes]]) -> None:
        """Send all records, with their numbers in the file. Documents with the same id are stored
        in their order. Raises `ServerError`, and what reading the records raises, when the requests
        that were sent before have been answered."""
        under_way: dict[asyncio.Task[None], set[Key]] = {}
        chunks = _chunks(records, self._media_type)
        try:
            while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                if chunk.unnamed:
                    chunk.name(await self._type_of_ids())
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

    async def _type_of_ids(self) -> Ids:
        retries = Retries(self._patience, self.on_wait)
        while True:
            try:
                return await self._ids.get()
            except (httpx.TransportError, ServerUnavailable) as failure:
                await asyncio.sleep(retries.delay(failure))

    async def _send(self, chunk: _Chunk) -> None:
        retries = Retries(self._patience, self.on_wait)
        while True:
            try:
                response = await self._client.post(
                    self._path,
                    content=b"\n".join(chunk.lines),
                    headers={"Content-Type": self._media_type},
                )
                if response.is_success:
                    checked(response, "application/json")
                report = _json(response)
                settled = len(chunk.lines) if response.is_success else report.get("lines", 0)
                if settled:
                    self._count(report, chunk, settled)
                    chunk = _Chunk(chunk.numbers[settled:], chunk.lines[settled:], chunk.ids)
                    retries.reset()
                checked(response)
            except (httpx.TransportError, ServerUnavailable) as failure:
                if isinstance(failure, httpx.TransportError) and not isinstance(failure, UNSENT):
                    self.summary.repeated += len(chunk.lines)
                await asyncio.sleep(retries.delay(failure))
            else:
                return

    def _count(self, report: dict[str, Any], chunk: _Chunk, settled: int) -> None:
        summary = self.summary
        summary.created += report["created"]
        summary.replaced += report["replaced"]
        summary.failed += report["failed"]
        summary.bytes += sum(map(len, chunk.lines[:settled]))
        for error in report.get("errors", []):
            if len(summary.failures) < MAX_NAMED:
                number = chunk.numbers[error["line"] - 1]
                summary.failures.append((number, detailed(error)))
        self.on_progress(summary)


def _chunks(records: Iterable[tuple[int, bytes]], media_type: str) -> Iterator[_Chunk]:
    chunk = _Chunk()
    try:
        for number, record in records:
            if not record.strip():
                continue
            chunk.add(number, record, key_of_record(record, media_type))
            if chunk.is_full():
                yield chunk
                chunk = _Chunk()
    except (OSError, FileError):
        if chunk.lines:  # send what could be read
            yield chunk
        raise
    if chunk.lines:
        yield chunk


def _json(response: httpx.Response) -> dict[str, Any]:
    try:
        value = response.json()
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
