"""HTTP as bytes on a connection, for what no client library sends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

from tests.support.patience import TIMEOUT


class Connection:
    """A connection, on which requests can be sent as they are written."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, request: bytes) -> httpx.Response:
        """The response to the request; its body has the length that it declares."""
        self._writer.write(request)
        async with asyncio.timeout(TIMEOUT):
            head = await self._reader.readuntil(b"\r\n\r\n")
            status, *lines = head.decode().splitlines()[:-1]
            headers = httpx.Headers([_field(line) for line in lines])
            content = await self._reader.readexactly(int(headers["content-length"]))
        return httpx.Response(int(status.split()[1]), headers=headers, content=content)

    async def is_closed(self) -> bool:
        """Whether the server closes the connection, without sending anything more."""
        async with asyncio.timeout(TIMEOUT):
            return await self._reader.read() == b""


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(": ")
    return name, value


@asynccontextmanager
async def connect(url: httpx.URL) -> AsyncIterator[Connection]:
    """A connection to the server."""
    target = urlsplit(str(url))
    reader, writer = await asyncio.open_connection(target.hostname, target.port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()
