"""A connection to the real database."""

import asyncio

from pymongo.uri_parser import parse_uri

from tests.support.database.wire import Message, read_message


class Upstream:
    """Takes the messages of one client, and brings the answers, byte by byte as they are."""

    def __init__(self, uri: str) -> None:
        [(self._host, self._port)] = parse_uri(uri)["nodelist"]
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def send(self, message: Message) -> Message | None:
        """The answer; None if the client wants none."""
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(message.raw)
        await self._writer.drain()
        return None if message.more_to_come else await read_message(self._reader)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
