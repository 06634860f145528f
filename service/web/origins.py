"""Refuses requests that web pages of strangers send to a service without keys."""

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._origins.check(scope["method"], scope["headers"])
            except LocalOnly as refusal:
                if path_of(scope) not in EXEMPT:
                    await problem_response(Request(scope), refusal)(scope, receive, send)
                    return
        await self._app(scope, receive, send)
