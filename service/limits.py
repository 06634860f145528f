"""How many requests at once, and how long a client may keep the service waiting."""

import asyncio

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import metrics
from service.errors import Overloaded
from service.problems import problem_response

EVENT_STREAM = b"text/event-stream; charset=utf-8"
EXEMPT = {"/healthz", "/readyz"}
"""What must be answered when nothing else can be."""


class Limits:
    """Refuses requests beyond a number in flight, at once, and leaves clients that stop reading.

    The feed does not count: it lasts for ever, costs nothing while it waits, and has its own limit.
    """

    def __init__(self, app: ASGIApp, max_requests: int, client_timeout: float) -> None:
        self._app = app
        self._max_requests = max_requests
        self._timeout = client_timeout
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        counts = scope["path"] not in EXEMPT
        if counts and self._in_flight >= self._max_requests:
            metrics.refused.inc()
            await problem_response(Request(scope), Overloaded())(scope, receive, send)
            return
        self._in_flight += counts
        is_counted = counts
        is_left = False

        async def limited_send(message: Message) -> None:
            nonlocal is_counted, is_left
            if message["type"] == "http.response.start":
                if is_counted and (b"content-type", EVENT_STREAM) in message["headers"]:
                    self._in_flight -= 1
                    is_counted = False
            elif message.get("more_body"):
                # The server waits as long as the client does not read.
                try:
                    async with asyncio.timeout(self._timeout):
                        await send(message)
                except TimeoutError:
                    is_left = True
                    raise ClientDisconnect from None
                return
            await send(message)

        try:
            await self._app(scope, receive, limited_send)
        except Exception:
            if not is_left:
                raise
        finally:
            self._in_flight -= is_counted
