"""A request and its response on a connection: uvicorn's, but most responses are written at once."""

from collections.abc import Sequence

from uvicorn._types import ASGISendEvent, HTTPResponseStartEvent
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle

from service.server.dates import Field, date_line

_VALID = bytes({*range(256)} - {*range(9), *range(10, 32), 127})
"""What a header field may contain: no control character but the tab (RFC 9110, section 5.5)."""
_CONNECTION = frozenset({b"connection", b"transfer-encoding"})
_WITHOUT_BODY = frozenset({204, 304})
SMALL = 64 * 1024
"""Bytes of a body that are copied to be written together with the head."""


class Cycle(RequestResponseCycle):
    """Writes the head of a response together with its body.

    uvicorn writes them apart, and searches each name and each value for characters that a header
    field must not have. This does both in a few calls of compiled code, for responses of known
    length that leave the connection open, as most do. uvicorn writes the others.
    """

    _head = b""  # which waits for the body

    async def send(self, message: ASGISendEvent) -> None:
        """As an ASGI application calls it."""
        if self.flow.write_paused and not self.disconnected:
            await self.flow.drain()
        if self.disconnected:
            return
        if self._head:
            head, self._head = self._head, b""
            body = self._small_body(message)
            if body is not None:
                self.transport.write(head + body)
                self._complete()
                return
            self.transport.write(head)
        elif message["type"] == "http.response.start" and not self.response_started:
            self._head = self._head_of(message)
            if self._head:
                return
        await super().send(message)

    def _head_of(self, message: HTTPResponseStartEvent) -> bytes:
        """The head of the response, which has begun now; empty if uvicorn should write it."""
        status = message["status"]
        headers: Sequence[Field] = message["headers"]  # type: ignore[assignment]
        fields = dict(headers)
        length = fields.get(b"content-length", b"0" if status in _WITHOUT_BODY else None)
        if (
            length is None
            or not self.keep_alive
            or self.access_log
            or not _CONNECTION.isdisjoint(fields)
        ):
            return b""
        lines = b"\r\n".join(map(b": ".join, headers))
        if lines.translate(None, _VALID) != b"\r\n" * (len(headers) - 1):
            return b""
        self.response_started = True
        self.waiting_for_100_continue = False
        self.chunked_encoding = False
        self.expected_content_length = int(length)
        return b"%b%b%b\r\n\r\n" % (STATUS_LINE[status], date_line(), lines)

    def _small_body(self, message: ASGISendEvent) -> bytes | None:
        """The body if it is whole and small, and should be sent."""
        if message["type"] != "http.response.body" or self.scope["method"] == "HEAD":
            return None
        body = message["body"]
        if (
            message.get("more_body")
            or len(body) != self.expected_content_length
            or len(body) > SMALL
        ):
            return None
        return body

    def _complete(self) -> None:
        self.response_complete = True
        self.message_event.set()
        if not self.keep_alive:
            self.transport.close()
        self.on_response()
