"""Where every request comes in and every response goes out: ids, limits, figures, headers.

One middleware and not four, since each layer around `send` costs as much as what it does.
"""

import asyncio
import time
from typing import Any

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Overloaded
from service.observability import metrics
from service.observability.request_ids import DEFAULTS, REQUEST_ID, make_request_id, request_id
from service.web.problems import problem_response, unexpected_response

EVENT_STREAM = (b"content-type", b"text/event-stream; charset=utf-8")
EXEMPT = {"/healthz", "/readyz"}
"""What must be answered when nothing else can be."""


class Entrance:
    """Gives each request an id; refuses requests beyond a number in flight, at once; leaves clients
    that stop reading; counts and times.

    The feed is not in flight: it lasts for ever, costs nothing while it waits, and has its own
    limit.
    """

    def __init__(self, app: ASGIApp, max_requests: int, client_timeout: float) -> None:
        self._app = app
        self._max_requests = max_requests
        self._timeout = client_timeout
        self._in_flight = 0
        # Looking up labels costs more than counting.
        self._counters: dict[tuple[str, str, int], Any] = {}
        self._timers: dict[tuple[str, str], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visit = _Visit(self, scope, send, make_request_id(scope["headers"]))
        request_id.set(visit.id.decode())
        if self._in_flight >= self._max_requests and scope["path"] not in EXEMPT:
            metrics.refused.inc()
            await problem_response(Request(scope), Overloaded())(scope, receive, visit.send)
            return
        self.enter(visit)
        try:
            await self._app(scope, receive, visit.send)
        except Exception:
            if visit.is_left:
                return
            if not visit.has_begun:  # answered here, to be counted and to have its id
                await unexpected_response(Request(scope))(scope, receive, visit.send)
            raise
        finally:
            self.leave(visit)

    def enter(self, visit: "_Visit") -> None:
        visit.is_in_flight = True
        self._in_flight += 1
        metrics.in_flight.inc()

    def leave(self, visit: "_Visit") -> None:
        if visit.is_in_flight:
            visit.is_in_flight = False
            self._in_flight -= 1
            metrics.in_flight.dec()

    async def take(self, send: Send, message: Message, visit: "_Visit") -> None:
        """Send a part of a stream: the server waits as long as the client does not read."""
        try:
            async with asyncio.timeout(self._timeout):
                await send(message)
        except TimeoutError:
            visit.is_left = True
            raise ClientDisconnect from None

    def count(self, scope: Scope, status: int, seconds: float) -> None:
        # What clients make up must not become labels: addresses and methods without a route.
        route = getattr(scope.get("route"), "path", "none")
        method = scope["method"] if route != "none" else "none"
        counter = self._counters.get((method, route, status))
        if counter is None:
            counter = metrics.requests.labels(method, route, str(status))
            self._counters[method, route, status] = counter
        counter.inc()
        timer = self._timers.get((method, route))
        if timer is None:
            timer = self._timers[method, route] = metrics.request_seconds.labels(method, route)
        timer.observe(seconds)


class _Visit:
    """One request on its way through."""

    def __init__(self, entrance: Entrance, scope: Scope, send: Send, id: bytes) -> None:
        self._entrance = entrance
        self._scope = scope
        self._send = send
        self._start = time.perf_counter()
        self.id = id
        self.has_begun = False  # to be answered
        self.is_in_flight = False
        self.is_left = False  # by us: the client stopped reading

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            seconds = time.perf_counter() - self._start
            self._entrance.count(self._scope, message["status"], seconds)
            headers = message["headers"]
            if EVENT_STREAM in headers:
                self._entrance.leave(self)
            names = [name for name, _ in headers]
            for pair in DEFAULTS:
                if pair[0] not in names:
                    headers.append(pair)
            headers.append((REQUEST_ID, self.id))
        elif message.get("more_body"):
            await self._entrance.take(self._send, message, self)
            return
        await self._send(message)
