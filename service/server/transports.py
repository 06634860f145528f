"""A connection's transport, as uvicorn's code sees it."""

import asyncio
from collections.abc import Callable


class ClosableTransport:
    """Writes as the transport does, but closes as the protocol says.

    `close` of asyncio's transports waits until the client has read everything, however long that
    takes. And it leaves what the client is still sending unread, so that the kernel resets the
    connection, and the client may lose the response. uvicorn closes in several places, so that the
    protocol cannot do otherwise by itself.
    """

    def __init__(self, transport: asyncio.Transport, close: Callable[[], None]) -> None:
        # Not methods: these are called for each response.
        self.write = transport.write
        self.is_closing = transport.is_closing
        self.close = close

    def mark_closing(self) -> None:
        """Nothing is read or written any more, whatever the transport itself still does."""
        self.is_closing = lambda: True
