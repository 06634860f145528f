"""Refuses requests that web pages of strangers send to a service without keys."""

from collections.abc import Awaitable

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import LocalOnly
from service.observability.paths import path_of
from service.security import Origins
from service.web.middleware import EXEMPT
from service.web.problems import problem_response


class OriginMiddleware:
    """Refuses every such request, except those for the health of the service."""

    def __init__(self, app: ASGIApp, origins: Origins) -> None:
        self._app = app
        self._origins = origins

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        # No coroutine of its own, through which each request would have to pass.
        app = self._app
        if scope["type"] == "http":
            try:
                self._origins.check(scope["method"], scope["headers"])
            except LocalOnly as refusal:
                if path_of(scope) not in EXEMPT:
                    app = problem_response(Request(scope), refusal)
        return app(scope, receive, send)
