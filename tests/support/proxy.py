"""A connection that breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit


@asynccontextmanager
async def breaking(url: str, sent: list[int], received: list[int]) -> AsyncIterator[str]:
    """The address of a proxy for the server at `url`.

    Each connection takes a number from the lists, as long as there are any, and breaks when so many
    bytes were sent to the server, or received from it.
    """
    target = urlsplit(url)

    async def forward(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, left: int | None
    ) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(16_384):
                if left is not None:
                    data = data[:left]
                    left -= len(data)
                writer.write(data)
                await writer.drain()
                if left == 0:
                    return
            if writer.can_write_eof():
                writer.write_eof()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert target.hostname
        there_reader, there_writer = await asyncio.open_connection(target.hostname, target.port)
        up = sent.pop(0) if sent else None
        down = received.pop(0) if received else None
        tasks = [
            asyncio.create_task(forward(reader, there_writer, up)),
            asyncio.create_task(forward(there_reader, writer, down)),
        ]
        try:
            await asyncio.wait(
                tasks, return_when="ALL_COMPLETED" if up is down is None else "FIRST_COMPLETED"
            )
        finally:
            for task in tasks:
                task.cancel()
            for each in (writer, there_writer):
                each.transport.abort()

    server = await asyncio.start_server(connect, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
