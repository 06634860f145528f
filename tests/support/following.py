"""Clients that follow the feed."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from httpx import AsyncClient, Response
from pymongo.collection import Collection

from tests.support.patience import TIMEOUT

Documents = Collection[dict[str, Any]]
EVENTS = {"Accept": "text/event-stream"}


@dataclass
class Event:
    kind: str = ""
    id: str = ""
    data: Any = None
    comment: str = ""

    @property
    def n(self) -> Any:
        return self.data["document"]["n"] if self.data["document"] else None


class Events:
    """What a client sees of the feed."""

    def __init__(self, response: Response) -> None:
        self.response = response
        self._lines = response.aiter_lines()
        self.last_id = ""

    async def next(self, *, mark: bool = False) -> Event:
        """The next event; with `mark`, blocks that are none too."""
        async with asyncio.timeout(TIMEOUT):
            event = Event()
            while True:
                line = await anext(self._lines)
                if line:
                    name, _, value = line.partition(":")
                    value = value.removeprefix(" ")
                    match name:
                        case "":
                            event.comment = value
                        case "id":
                            event.id = self.last_id = value
                        case "event":
                            event.kind = value
                        case "data":
                            event.data = json.loads(value)
                elif event.kind or mark:
                    return event

    async def take(self, count: int) -> list[Event]:
        return [await self.next() for _ in range(count)]


@asynccontextmanager
async def follow(
    client: AsyncClient, path: str = "/stuff", last: str = "", **parameters: str
) -> AsyncIterator[Events]:
    headers = EVENTS | ({"Last-Event-ID": last} if last else {})
    async with client.stream("GET", path, headers=headers, params=parameters) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["content-type"].startswith("text/event-stream")
        events = Events(response)
        assert (await events.next(mark=True)).comment == "The feed begins."
        yield events


async def put(client: AsyncClient, id: str, n: int) -> Response:
    return await client.put(f"/stuff/{id}", json={"n": n})
