"""Requests that ask for another protocol, as Java's client does for HTTP/2, are answered over
HTTP/1.1 (RFC 9110, section 7.8).

uvicorn 0.54 starts to answer them, but loses their bodies and the requests after them: llhttp takes
what follows the head for bytes of the other protocol. This file can be removed when uvicorn
continues to parse them as HTTP/1.1, that is, when tests/test_limits.py passes with
`LimitedProtocol` derived from uvicorn's own `HttpToolsProtocol`.
"""

from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

FRAMING = {b"content-length", b"transfer-encoding"}
"""The header fields that give the length of a body."""


class UpgradeIgnoringProtocol(HttpToolsProtocol):
    """uvicorn's protocol, whose parser continues after a request for an upgrade."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._use(HttpRequestParser(self))

    def parse(self, data: bytes) -> None:
        """Parse what arrives, in place of uvicorn's `data_received`."""
        while True:
            try:
                self.parser.feed_data(data)
                return
            except HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                self._ignore_upgrade()
            except HttpParserError:
                message = "Invalid HTTP request received."
                self.logger.warning(message)  # `repeats` bounds the lines
                self.send_400_response(message)
                return

    def on_message_complete(self) -> None:
        if not self.parser.should_upgrade():  # else the body is still to come
            super().on_message_complete()

    def _ignore_upgrade(self) -> None:
        """Start another parser for what follows the head, and give it the length of the body."""
        fields = [b"%s: %s\r\n" % pair for pair in self.headers if pair[0] in FRAMING]
        callbacks = _AfterHead(self)
        self._use(HttpRequestParser(callbacks))
        self.parser.feed_data(b"POST / HTTP/1.1\r\n" + b"".join(fields) + b"\r\n")
        callbacks.is_head = False

    def _use(self, parser: HttpRequestParser) -> None:
        # As in uvicorn: the first request is answered, whatever follows it.
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser = parser


class _AfterHead:
    """The protocol's callbacks, without those for the head, which it has handled already."""

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        self._protocol = protocol
        self.is_head = True
        self.on_body = protocol.on_body
        self.on_message_complete = protocol.on_message_complete

    def on_message_begin(self) -> None:
        if not self.is_head:
            self._protocol.on_message_begin()

    def on_url(self, url: bytes) -> None:
        if not self.is_head:
            self._protocol.on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        if not self.is_head:
            self._protocol.on_header(name, value)

    def on_headers_complete(self) -> None:
        if not self.is_head:
            self._protocol.on_headers_complete()
