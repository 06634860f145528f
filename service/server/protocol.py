"""HTTP/1.1 on a connection: uvicorn's protocol, with longer URLs, and with limits on the size of a
request's head and on the time that it takes to arrive.

uvicorn itself accepts URLs of at most 64 KiB and headers of any size, and waits for them forever.
"""

import asyncio
import re
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from service.errors import (
    BadRequest,
    HeadersTooLarge,
    RequestTimeout,
    StuffError,
    UrlTooLong,
)
from service.observability.request_ids import REQUEST_ID, make_request_id
from service.server.dates import DATED, date_field
from service.server.upgrades import UpgradeIgnoringProtocol
from service.settings import Settings
from service.web.headers import DEFAULTS
from service.web.problems import MEDIA_TYPE, problem_body

# https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2, with a port
_HOST = re.compile(rb"(\[[0-9A-Za-z:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?")
LINGER = 0.5
"""Seconds that a connection without a request stays open when the server stops. The client may be
sending one at that moment, which would be lost."""


class LimitedProtocol(UpgradeIgnoringProtocol):
    """Answers a head that is too large or too slow with a problem, and closes the connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        settings: Settings = self.app_state["settings"]
        self._max_url_bytes = settings.max_url_bytes
        self._max_header_bytes = settings.max_header_bytes
        self._timeout = settings.client_timeout
        self._header_bytes = self._pending_bytes = 0
        self._deadline: asyncio.TimerHandle | None = None
        self._refusal: StuffError | None = None
        self._is_shutting_down = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._await_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._deadline is not None and not self.transport.is_closing():
            # The parser reports a header field only when it is complete, however long that takes.
            self._pending_bytes += len(data)
            if self._pending_bytes > self._max_url_bytes + 2 * self._max_header_bytes:
                self._answer(HeadersTooLarge(self._max_header_bytes))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._header_bytes = self._pending_bytes = 0
        self._await_headers()

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._max_url_bytes:
            self._refuse(UrlTooLong(self._max_url_bytes))

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > self._max_header_bytes:
            self._refuse(HeadersTooLarge(self._max_header_bytes))

    def on_headers_complete(self) -> None:
        self._check_head()
        self._stop_waiting()
        # uvicorn's parser of URLs accepts 64 KiB, so it gets the path only; the query is copied.
        self.url, _, query = self.url.partition(b"?")
        super().on_headers_complete()  # starts a task, which has not run yet
        self.scope["query_string"] = query.partition(b"#")[0]
        self.cycle.default_headers = DATED
        if self._is_shutting_down:
            self.cycle.keep_alive = False

    def _check_head(self) -> None:
        version = self.parser.get_http_version()
        if version not in ("1.0", "1.1"):
            self._refuse(BadRequest(f"HTTP/{version} is not supported. Send HTTP/1.1."))
        # https://www.rfc-editor.org/rfc/rfc9112#section-3.2
        hosts = [value for name, value in self.headers if name == b"host"]
        if len(hosts) > 1 or (not hosts and version == "1.1"):
            self._refuse(BadRequest("A request must have exactly one Host. Send one."))
        if hosts and not _HOST.fullmatch(hosts[0].strip()):
            self._refuse(BadRequest("Host is malformed. Send the name or address of the server."))

    def send_400_response(self, msg: str) -> None:
        self._answer(self._refusal or BadRequest(f"{msg} Send HTTP/1.1."))

    def shutdown(self) -> None:
        self._is_shutting_down = True
        if self._is_answered:
            self.loop.call_later(LINGER, self._close_if_idle)
        else:
            self.cycle.keep_alive = False

    def _close_if_idle(self) -> None:
        is_receiving = self._deadline is not None and self.headers is not None
        if self._is_answered and not is_receiving:
            self.transport.close()

    @property
    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _refuse(self, error: StuffError) -> None:
        self._refusal = error
        raise ValueError(error.title)  # stops the parser, and uvicorn calls send_400_response

    def _await_headers(self) -> None:
        self._stop_waiting()
        self._deadline = self.loop.call_later(self._timeout, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        if self.headers is None:  # nothing has arrived
            self.transport.close()
        elif not self.transport.is_closing():
            self._answer(RequestTimeout(self._timeout))

    def _answer(self, error: StuffError) -> None:
        self._stop_waiting()
        cycle = self.cycle
        if not self._is_answered:
            if not cycle.more_body:  # the earlier request is answered, and no later one
                cycle.keep_alive = False
                self.flow.pause_reading()
                return
            cycle.disconnected = True
            cycle.message_event.set()
        # In the middle of another response, this one would be taken for a part of it.
        if self._is_answered or not (cycle.response_started or self.pipeline):
            id = make_request_id(self.headers or ())
            body = problem_body(error, b"") | {"request_id": id.decode()}
            content = orjson.dumps(body)
            headers = [
                date_field(),
                (b"content-type", MEDIA_TYPE.encode()),
                (b"content-length", str(len(content)).encode()),
                (b"connection", b"close"),
                (REQUEST_ID, id),
                *DEFAULTS,
            ]
            lines = [STATUS_LINE[error.status], *(b"%s: %s\r\n" % pair for pair in headers)]
            self.transport.write(b"".join(lines) + b"\r\n" + content)
        self.transport.close()
