"""Counts and times requests."""

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import metrics


class Observed:
    """Middleware; the innermost, so that it sees which route a request took."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        # Looking up labels costs more than counting.
        self._counters: dict[tuple[str, str, int], Any] = {}
        self._timers: dict[tuple[str, str], Any] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = time.perf_counter()
        metrics.in_flight.inc()

        async def observed_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(scope, message["status"], time.perf_counter() - start)
            await send(message)

        try:
            await self._app(scope, receive, observed_send)
        finally:
            metrics.in_flight.dec()

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
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
