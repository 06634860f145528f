"""HTTP/1.1 on a connection: uvicorn's protocol, with limits on the memory and time of a client.

uvicorn itself accepts URLs of at most 64 KiB and headers of any size, waits forever for a client to
send and to read, takes trailers for header fields, and starts to act before it knows whether the
request is well-formed. What holds here, and where:

- A connection has a deadline at every moment. While no request is being served, that is
  `_deadline`: it covers silence, a head, and a body that the application does not read. The
  application limits its own time, and that of a body that it reads. `_unread` covers a response
  that the client does not read.
- A request is served only when it is whole (`_start_asgi_task`). Those with a body that the
  application reads are started with their head, and fail when they read it.
- A request is not served before the responses to earlier ones are read, so an unread response keeps
  its bytes, and nothing else. `Connections` bounds those, and the number of connections.
- What arrives is parsed in slices of `SLICE` bytes while earlier requests wait (`_feed`): a request
  of 25 bytes takes a hundred times as much when it is parsed.
- How a connection ends: see `ConnectionProtocol`.
"""

import asyncio
from typing import Any, cast
from urllib.parse import unquote

from httptools import parse_url
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from service.errors import (
    BadRequest,
    BodyTooLarge,
    HeadersTooLarge,
    StuffError,
    UrlTooLong,
)
from service.server.connection import ConnectionProtocol, Part
from service.server.cycles import Cycle
from service.server.dates import DATED
from service.server.heads import FIELD_BYTES, check_head, check_query
from service.server.refusals import refusal
from service.server.upgrades import FRAMING
from service.settings import Settings
from service.web.bodies import ARRIVED

READ_BODIES = frozenset(("POST", "PUT", "PATCH"))
"""The methods whose bodies the application reads."""
MAX_PATH_BYTES = 64 * 1024 - 1  # of uvicorn's parser of URLs, which counts in 16 bits
SLICE = 4096
"""Bytes that are parsed at once."""


class LimitedProtocol(ConnectionProtocol):
    """Answers what it refuses with a problem, and closes the connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        settings: Settings = self.app_state["settings"]
        self._max_url_bytes = settings.max_url_bytes
        self._max_header_bytes = settings.max_header_bytes
        self._max_body_bytes = settings.max_body_bytes
        # The parser reports a field when it is complete, and nothing of a chunk's extensions.
        self._max_pending_bytes = self._max_url_bytes + 2 * self._max_header_bytes
        self._header_bytes = self._pending_bytes = self._unused_bytes = 0
        self._is_head_new = False  # the slice that is being parsed has ended it
        self._is_last = False  # the latest request: what follows it is ignored

    # Requests as they arrive

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing() or self._is_last:
            return
        if self._unparsed:
            self._unparsed += data
            self.flow.pause_reading()
        elif len(data) <= SLICE and not self.pipeline:
            self._parse(data)
        else:
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        for start in range(0, len(data), SLICE):
            if self.transport.is_closing() or self._is_last:
                return
            if self.pipeline:
                self._unparsed = data[start:]
                return
            part = data if len(data) <= SLICE else data[start : start + SLICE]
            self._parse(part)

    def _parse(self, part: bytes) -> None:
        self._is_head_new = False
        self.parse(part)
        self._pending_bytes += len(part)
        if self._pending_bytes > self._max_pending_bytes and not self.transport.is_closing():
            self._answer(HeadersTooLarge(self._max_header_bytes))
        elif self._part is Part.HEAD and self._pending_bytes > SLICE:
            self._connections.heads.hold(self, self._pending_bytes)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._part = Part.HEAD
        self._header_bytes = self._pending_bytes = self._unused_bytes = 0
        self._deadline.set(self._timeout)

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > self._max_url_bytes:
            self._refuse(UrlTooLong(self._max_url_bytes))

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value) + FIELD_BYTES
        if self._header_bytes > self._max_header_bytes:
            self._refuse(HeadersTooLarge(self._max_header_bytes))
        # A trailer must not change what the request means (RFC 9110, section 6.5.1).
        if self._part is not Part.HEAD:
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._part = Part.BODY
        if self._pending_bytes > SLICE:
            self._connections.heads.release(self)
        self._is_head_new = True
        # httptools' parser of URLs gets the path only; the query is copied.
        self.url, _, query = self.url.partition(b"?")
        if len(self.url) > MAX_PATH_BYTES:
            self._refuse(UrlTooLong(MAX_PATH_BYTES, "paths"))
        version = self.parser.get_http_version()
        try:
            check_head(version, self.headers)
            if query:
                query = query.partition(b"#")[0]
                check_query(query)
        except StuffError as error:
            self._refuse(error)
        self._describe(version, query)
        self._begin_cycle(is_http_11=version == "1.1")
        self._is_persistent = self.cycle.keep_alive and not self._is_shutting_down
        self.cycle.keep_alive = False  # while the body is incomplete
        if self.scope["method"] in READ_BODIES:
            self._deadline.clear()
        elif self.expect_100_continue:
            self._ask_for_body()

    def _describe(self, version: str, query: bytes) -> None:
        """Complete the ASGI scope, as uvicorn's `on_headers_complete` does."""
        scope = self.scope
        scope["method"] = self.parser.get_method().decode("ascii")
        scope["http_version"] = version
        raw_path = parse_url(self.url).path
        path = raw_path.decode("ascii")
        scope["path"] = self.root_path + (unquote(path) if "%" in path else path)
        scope["raw_path"] = self.root_path.encode("ascii") + raw_path
        scope["query_string"] = query

    def _begin_cycle(self, *, is_http_11: bool) -> None:
        """Serve the request, or let it wait for those before it, as uvicorn does."""
        previous = self.cycle
        self.cycle = cycle = Cycle(
            scope=self.scope,
            transport=self.transport,
            flow=self.flow,
            logger=self.logger,
            access_logger=self.access_logger,
            access_log=self.access_log,
            default_headers=DATED,
            message_event=asyncio.Event(),
            expect_100_continue=self.expect_100_continue,
            keep_alive=is_http_11 and self.parser.should_keep_alive(),
            on_response=self.on_response_complete,
        )
        if previous is None or previous.response_complete:
            self._start_asgi_task(cycle, self.app)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def _ask_for_body(self) -> None:
        is_next = self._waiting is not None and self._waiting[0] is self.cycle
        if is_next and any(name in FRAMING for name, _ in self.headers):
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        self._pending_bytes = -SLICE  # this slice is counted when all of it is parsed
        if self.scope["method"] in READ_BODIES:
            super().on_body(body)
            return
        self._unused_bytes += len(body)
        if self._unused_bytes > self._max_body_bytes:
            self._refuse(BodyTooLarge(self._max_body_bytes))

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.cycle.more_body:  # it asks for another protocol, and its body is still to come
            return
        self._part = Part.START
        self._deadline.clear()
        if self._is_head_new and self.cycle.body:  # of which the application has received nothing
            self.scope[ARRIVED] = bytes(self.cycle.body)  # type: ignore[literal-required]
        if not self.cycle.response_started:
            self.cycle.keep_alive = self._is_persistent
        self._start_waiting()

    # Requests as they are served

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        is_incomplete = cycle.more_body and cycle.scope["method"] not in READ_BODIES
        if is_incomplete or self.flow.write_paused:
            self._waiting = cycle, app
            return
        self._waiting = None
        self._running = cycle
        self._connections.begin(self)
        super()._start_asgi_task(cycle, app)

    def _start_waiting(self) -> None:
        if self._waiting is not None:
            self._start_asgi_task(*self._waiting)

    def on_response_complete(self) -> None:
        self.server_state.total_requests += 1
        self._running = None
        if self.transport.is_closing():
            return
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            return
        self._connections.end(self)
        if self._part is Part.START:
            self._deadline.set(self.timeout_keep_alive)
        if self._is_shutting_down:
            self._close_soon()
        self.flow.resume_reading()
        if self._unparsed:
            unparsed, self._unparsed = self._unparsed, b""
            self._feed(unparsed)

    # Requests that are refused

    def send_400_response(self, msg: str) -> None:
        self._answer(self._refusal or BadRequest(f"{msg} Send HTTP/1.1."))

    def _refuse(self, error: StuffError) -> None:
        self._refusal = error
        raise ValueError(error.title)  # stops the parser, and uvicorn calls send_400_response

    def _answer(self, error: StuffError) -> None:
        """Answer with the problem, and close. If an earlier request is not answered yet, its
        response is the last one: another would be taken for a part of it."""
        self._refusal = error
        self._deadline.clear()
        cycle = self.cycle
        is_started = False
        if not self._is_answered:
            if not cycle.more_body:
                self._end_after(cycle)
                return
            if self.pipeline:
                self.pipeline.popleft()  # this is the latest
                earlier = self.pipeline[0][0] if self.pipeline else self._running
                self._end_after(earlier or cast(Any, self._waiting)[0])
                return
            is_started = cycle.response_started
        if not is_started:
            self._socket.write(refusal(error, self.headers or ()))
        self._close()

    def _end_after(self, cycle: RequestResponseCycle) -> None:
        cycle.keep_alive = False
        self._is_last = True
