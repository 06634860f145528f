"""How long a connection lives, and how it ends."""

import asyncio
from enum import Enum, auto
from typing import Any, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from service.errors import Overloaded, RequestTimeout, StuffError
from service.server.connection_limits import Connections
from service.server.deadlines import Deadline, Unread
from service.server.transports import ClosableTransport
from service.server.upgrades import UpgradeIgnoringProtocol
from service.settings import Settings

LINGER = 30.0
"""Seconds for which a refused client may continue to send (RFC 9112, section 9.6)."""
LAST_REQUESTS = 0.5
"""Seconds that a connection without a request stays open when the server stops. The client may be
sending one at that moment, which would be lost."""


TOO_MANY = "The server has as many connections as it keeps, and none is idle. Try again shortly."


class Part(Enum):
    """The part of a request that arrives next."""

    START = auto()
    HEAD = auto()
    BODY = auto()


class ConnectionProtocol(UpgradeIgnoringProtocol):
    """The half of `LimitedProtocol` that is about the connection, and not about its requests.

    - A connection that is refused in the middle of a request is closed when the client has had time
      to read why (`_close`); until then, what it sends is discarded.
    - Others are closed when the client has read everything, and aborted if it does not (`_flush`).
    - Nothing is written to a connection that is closed or closing (`_abandon`).
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        settings: Settings = self.app_state["settings"]
        self._connections: Connections = self.app_state["connections"]
        self._timeout = settings.client_timeout
        self._deadline = Deadline(self.loop, self._expire)
        self._part = Part.START
        self._is_persistent = False  # if the whole request arrives
        self._is_shutting_down = False
        self._refusal: StuffError | None = None
        self._running: RequestResponseCycle | None = None
        self._waiting: tuple[RequestResponseCycle, ASGI3Application] | None = None
        self._unparsed = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._socket = transport
        self._closable = ClosableTransport(transport, self._close)
        self.transport = cast(asyncio.Transport, self._closable)
        self._unread = Unread(transport, self._timeout, self.drop)
        if self._connections.open(self):
            self._deadline.set(self._timeout)
        else:
            self._answer(Overloaded(TOO_MANY))

    def connection_lost(self, exc: Exception | None) -> None:
        self._abandon()
        self._deadline.stop()
        self._unread.stop()
        self._connections.close(self)
        super().connection_lost(exc)

    def eof_received(self) -> None:
        if self.transport.is_closing():  # the client has read why
            self._socket.close()
        else:
            self._flush()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.watch()
        size = self._socket.get_write_buffer_size() + len(self._unparsed)
        self._connections.hold(self, size)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._connections.release(self)
        if not self.transport.is_closing():
            self._unread.stop()
            self._start_waiting()

    def drop(self) -> None:
        """End the connection at once, whatever the client has not read."""
        self._abandon()
        if self._socket.get_write_buffer_size():
            self._socket.abort()
        else:
            self._socket.close()

    def shutdown(self) -> None:
        self._is_shutting_down = True
        self._is_persistent = False
        if self._is_answered:
            self._close_soon()
        elif not self.cycle.response_started:  # else its head has left the connection open
            self.cycle.keep_alive = False

    def _close_soon(self) -> None:
        """Close in a moment, unless a request arrives that the client may be sending now."""
        self.loop.call_later(LAST_REQUESTS, self._close_if_idle)

    def _close_if_idle(self) -> None:
        if self.transport.is_closing():
            if not self._socket.get_write_buffer_size():  # else the client is reading
                self.drop()
        elif self._is_answered and self._part is Part.START:
            self._flush()

    def _expire(self) -> None:
        if self.transport.is_closing():
            self.drop()
        elif self._part is Part.START:
            self._flush()
        else:
            self._answer(RequestTimeout(self._timeout))

    def _close(self) -> None:
        """Close as soon as the client has read what was written. If it may be in the middle of a
        request, discard the rest meanwhile."""
        if self.transport.is_closing():
            return
        if self._part is Part.START and self._refusal is None:
            self._flush()
            return
        self._abandon()
        self._connections.end(self)
        self.flow.resume_reading()
        self._socket.write_eof()
        self._deadline.set(min(LINGER, self._timeout))

    def _flush(self) -> None:
        """Close as soon as the client has read what was written."""
        self._abandon()
        self._deadline.clear()
        self._socket.close()
        if self._socket.get_write_buffer_size():
            self._connections.end(self)
            self._unread.watch()

    def _abandon(self) -> None:
        """Serve no more requests, and write nothing more of the response to the current one."""
        self._closable.mark_closing()
        self._waiting, self._unparsed = None, b""
        for cycle in (self._running, self.cycle):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    @property
    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start_waiting(self) -> None:
        """Serve the request that waits, if it can be served now."""
        raise NotImplementedError

    def _answer(self, error: StuffError) -> None:
        """Answer with the problem, and close."""
        raise NotImplementedError
