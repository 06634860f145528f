"""A link to the database that can be cut, stopped and slowed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from pymongo.uri_parser import parse_uri


class Link:
    """A TCP proxy for the database at `uri`, on a port of its own; see `linked`."""

    def __init__(self, uri: str) -> None:
        [(self._host, self._port)] = parse_uri(uri)["nodelist"]
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.delay = 0.0  # seconds, for each part in each direction
        self.port = 0

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.port}/?retryWrites=false&directConnection=true"

    async def open(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break all connections, and take no others."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.reset()
        await asyncio.sleep(0)

    def reset(self) -> None:
        """Break all connections."""
        for writer in self._writers:
            writer.transport.abort()

    def stop(self) -> None:
        """Let nothing through, and break nothing."""
        self._flows.clear()

    def go_on(self) -> None:
        self._flows.set()

    def forget(self) -> None:
        """Let nothing through on the connections that there are, ever, and say so to nobody."""
        self._flows.clear()
        self._flows = asyncio.Event()  # for those to come
        self._flows.set()

    async def close(self) -> None:
        await self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        there = None
        flows: list[asyncio.Task[None]] = []
        try:
            # Streams of asyncio complain of a connection whose task was cancelled.
            with suppress(OSError, asyncio.CancelledError):
                there_reader, there = await asyncio.open_connection(self._host, self._port)
                self._writers |= {writer, there}
                flows += [
                    asyncio.create_task(self._forward(reader, there)),
                    asyncio.create_task(self._forward(there_reader, writer)),
                ]
                await asyncio.wait(flows, return_when="FIRST_COMPLETED")
        finally:
            self._tasks.discard(task)
            for flow in flows:
                flow.cancel()
            for each in (writer, there):
                if each is not None:
                    self._writers.discard(each)
                    each.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        flows = self._flows
        with suppress(OSError):
            while data := await reader.read(65_536):
                if self.delay:
                    await asyncio.sleep(self.delay)
                await flows.wait()
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def linked(uri: str) -> AsyncIterator[Link]:
    """A link that is open."""
    link = Link(uri)
    await link.open()
    try:
        yield link
    finally:
        await link.close()
