"""What happens to every request and response: ids, limits, metrics, default header fields.

One middleware instead of four, because an additional layer around `send` costs as much as its work.
"""

import logging
import time
from typing import Any

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.errors import Overloaded, raises
from service.observability import metrics
from service.observability.access_log import Access, AccessLog, of_client
from service.observability.paths import path_of
from service.observability.request_ids import REQUEST_ID, make_request_id, request_id
from service.observability.tally import Tally
from service.web.access import KEY_ID
from service.web.bodies import release_claim
from service.web.cors import CrossOriginMiddleware
from service.web.headers import DEFAULTS
from service.web.problems import problem_response, unexpected_response

log = logging.getLogger(__name__)
EVENT_STREAM = b"text/event-stream; charset=utf-8"
EXEMPT = {"/healthz", "/readyz"}
"""Answered even when the service is at its limit of requests in flight."""


@raises(Overloaded)
class RequestMiddleware:
    """Gives each request an id; refuses requests at once when too many are in flight; counts and
    times requests.

    A request is no longer in flight when the last part of its response is handed to the server,
    which may have to wait for the client to read. A feed whose response has started is not either:
    it never ends by itself, costs nothing while it waits, and has its own limit.
    """

    def __init__(
        self,
        app: ASGIApp,
        max_requests: int,
        cors: dict[str, Any] | None = None,
        access_log: AccessLog | None = None,
    ) -> None:
        """`cors` are the arguments of CrossOriginMiddleware, None without CORS."""
        self._cors = cors
        self._app = self._across_origins(app)
        self._max_requests = max_requests
        self._access_log = access_log
        self._tally = Tally()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        id = make_request_id(scope["headers"])
        request_id.set(id.decode())
        exchange = self._begin(scope, send, id)
        try:
            if self._tally.in_flight >= self._max_requests and path_of(scope) not in EXEMPT:
                metrics.refused.inc()
                response = self._across_origins(problem_response(Request(scope), Overloaded()))
                await response(scope, receive, exchange.send)
            else:
                exchange.enter()
                await self._app(scope, receive, exchange.send)
        except Exception:
            if exchange.has_begun:
                raise  # the server can only close the connection
            # Answered here, so that it is counted and has its id. It is logged here too: if the
            # exception reached the server, it would close the connection without announcing that.
            log.exception("The request failed unexpectedly")
            response = self._across_origins(unexpected_response(Request(scope)))
            await response(scope, receive, exchange.send)
        finally:
            exchange.leave()
            release_claim(scope)
            exchange.end()

    def _begin(self, scope: Scope, send: Send, id: bytes) -> "_Exchange":
        if self._access_log is None:
            return _Exchange(self._tally, scope, send, id)
        return _LoggedExchange(self._tally, scope, send, id, self._access_log)

    def _across_origins(self, app: ASGIApp) -> ASGIApp:
        """The application, or a response, with CORS if that is configured."""
        return app if self._cors is None else CrossOriginMiddleware(app, **self._cors)


class _Exchange:
    """One request and its response."""

    def __init__(self, tally: Tally, scope: Scope, send: Send, id: bytes) -> None:
        self._tally = tally
        self._scope = scope
        self._send = send
        self._start = time.perf_counter()
        self.id = id
        self.has_begun = False  # the response
        self._is_in_flight = False

    def enter(self) -> None:
        """The request is in flight from now on."""
        self._is_in_flight = True
        self._tally.in_flight += 1

    def leave(self) -> None:
        """It no longer is, if it was."""
        if self._is_in_flight:
            self._is_in_flight = False
            self._tally.in_flight -= 1

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            self._count(message["status"])
            headers = message["headers"]
            fields = dict(headers)
            if fields.get(b"content-type") == EVENT_STREAM:
                self.leave()
            for pair in DEFAULTS:
                if pair[0] not in fields:
                    headers.append(pair)
            headers.append((REQUEST_ID, self.id))
        elif not message.get("more_body"):
            self.leave()
        await self._send(message)

    def _count(self, status: int) -> None:
        method, route = self._scope["method"], _route_of(self._scope)
        if route is None:
            # Clients can make up paths and methods: those without a route must not become labels.
            method = route = "none"
        self._tally.count(method, route, status, time.perf_counter() - self._start)

    def end(self) -> None:
        """Called when the last byte was sent, or none will be."""


class _LoggedExchange(_Exchange):
    """Writes a line of the access log."""

    def __init__(
        self,
        tally: Tally,
        scope: Scope,
        send: Send,
        id: bytes,
        access_log: AccessLog,
    ) -> None:
        super().__init__(tally, scope, send, id)
        self._access_log = access_log
        self._status: int | None = None
        self._bytes = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            await super().send(message)
        else:
            await super().send(message)
            self._bytes += len(message.get("body", b""))

    def end(self) -> None:
        client = self._scope.get("client")
        self._access_log.write(
            Access(
                method=self._scope["method"],
                route=_route_of(self._scope),
                status=self._status,
                seconds=round(time.perf_counter() - self._start, 6),
                bytes=self._bytes,
                request_id=self.id.decode(),
                key=self._scope.get(KEY_ID),
                client=of_client(client[0]) if client else None,
            )
        )


def _route_of(scope: Scope) -> str | None:
    """The route that has answered, such as `/stuff/{id}`; none if there is none."""
    return getattr(scope.get("route"), "path_format", None)
