"""Export: from a server into a file, by one stream that is resumed where it broke off."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
from bson import json_util

from service.client.errors import RequestRefused, ServerUnavailable
from service.client.http import checked, problem_of
from service.client.ids import IdsOf
from service.client.lines import NDEJSON, id_of
from service.client.retrying import Retries
from service.documents.query import parse_sort
from service.errors import InvalidId


@dataclass(slots=True)
class ExportSummary:
    """What was written."""

    documents: int = 0
    bytes: int = 0
    resumed: int = 0


class Exporter:
    """Receives documents as lines of this media type, sorted by `_id`: two exports of equal
    documents are equal."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        patience: float,
        media_type: str = NDEJSON,
        collection: str = "stuff",
    ) -> None:
        self._client = client
        self._path = f"/{collection}"
        self._ids = IdsOf(client, collection)
        self._patience = patience
        self._media_type = media_type
        self.on_progress: Callable[[ExportSummary], None] = lambda _: None
        self.on_wait: Callable[[str], None] = lambda _: None
        self.summary = ExportSummary()

    async def count(self, filter: str | None) -> int | None:
        """How many documents there are, if the server can tell in time."""
        parameters = {"limit": "1", "count": "true", "fields": "_id"}
        try:
            response = await self._client.get(self._path, params=parameters | _given(filter=filter))
        except httpx.TransportError:
            return None
        total = response.json().get("total") if response.status_code == 200 else None
        return total if isinstance(total, int) else None

    async def run(
        self, write: Callable[[bytes], object], filter: str | None, fields: str | None
    ) -> None:
        """Write all documents, one per line. Raises `ServerError`."""
        last: bytes | None = None  # the last line that was written
        retries = Retries(self._patience, self.on_wait)
        while True:
            try:
                rest = filter
                if last is not None:
                    rest = _rest(filter, await self._id_of(last))
                    if rest is None:
                        return
                query = _given(filter=rest, fields=fields)
                async for lines in self._receive(query):
                    write(lines)
                    last = lines[lines.rfind(b"\n", 0, -1) + 1 :]
                    self.summary.documents += lines.count(b"\n")
                    self.summary.bytes += len(lines)
                    retries.reset()
                    self.on_progress(self.summary)
                return
            except (httpx.TransportError, ServerUnavailable) as failure:
                delay = retries.delay(failure)
                self.summary.resumed += 1
                await asyncio.sleep(delay)

    async def _id_of(self, line: bytes) -> Any:
        """The `_id` as it is stored, by which documents are sorted."""
        id = id_of(line, self._media_type)
        if self._media_type == NDEJSON or not isinstance(id, str):
            return id
        try:
            return (await self._ids.get()).parse(id)
        except InvalidId:  # text that another program stored
            return id

    async def _receive(self, query: dict[str, str]) -> AsyncIterator[bytes]:
        """Whole lines, as they arrive."""
        headers = {"Accept": self._media_type}
        async with self._client.stream(
            "GET", self._path, params=query, headers=headers
        ) as response:
            if not response.is_success:
                await response.aread()
            if response.status_code == 504:
                # A query that took the database too long would do so again.
                raise RequestRefused(problem_of(response))
            checked(response, self._media_type)
            rest = b""
            async for chunk in response.aiter_bytes():
                lines, newline, rest = (rest + chunk).rpartition(b"\n")
                if newline:
                    yield lines + newline


def _given(**parameters: str | None) -> dict[str, str]:
    return {name: value for name, value in parameters.items() if value is not None}


def _rest(filter: str | None, id: Any) -> str | None:
    """The filter of the documents after the one with this id; None if no id comes after it."""
    ranges = [range.condition for range in parse_sort(None).ranges_after((id,))]
    if not ranges:
        return None
    after = {"$or": ranges}
    conditions = [] if filter is None else [orjson.loads(filter)]
    return json_util.dumps({"$and": [*conditions, after]}, separators=(",", ":"))
