"""Reads every document, and follows the feed: `python examples/streams.py [URL] [KEY]`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx


async def documents(store: httpx.AsyncClient) -> AsyncIterator[dict[str, Any]]:
    """Every document, as it arrives. Raises `httpx.RemoteProtocolError` if some are missing."""
    headers = {"Accept": "application/x-ndjson"}
    async with store.stream("GET", "/stuff", headers=headers) as response:
        async for line in response.raise_for_status().aiter_lines():
            yield json.loads(line)


async def changes(store: httpx.AsyncClient, after: str = "") -> AsyncIterator[dict[str, str]]:
    """Every change, as a dictionary of `event`, `id` and `data` (JSON). To miss nothing when the
    connection breaks, come back with the last `id`."""
    headers = {"Accept": "text/event-stream", "Last-Event-ID": after}
    async with store.stream("GET", "/stuff", headers=headers, timeout=60) as response:
        event: dict[str, str] = {}
        async for line in response.raise_for_status().aiter_lines():
            if line == "" and "data" in event:
                yield event
            name, _, value = line.partition(": ")
            event = {**event, name: value} if line else {}


async def main(url: str = "http://127.0.0.1:8000", key: str = "") -> None:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with httpx.AsyncClient(base_url=url, headers=headers) as store:
        async for document in documents(store):
            print(document)
        async for change in changes(store):
            print(change["event"], change["data"])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
