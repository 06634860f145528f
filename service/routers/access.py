"""Which scope a request needs: decided for each route, and closed where nothing is decided."""

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import Forbidden, Unauthorized
from service.routers.bodies import header
from service.security import PUBLIC, KeyRing, decision_of


def guarded(route: BaseRoute) -> BaseRoute:
    """The route, which lets through only what its decision allows."""
    assert isinstance(route, APIRoute)
    decision = decision_of(route.endpoint)
    # Routes are shared by all applications of a process.
    if decision != PUBLIC and not isinstance(route.app, _Guard):
        route.app = _Guard(route.app, decision)
    return route


class _Guard:
    def __init__(self, app: ASGIApp, decision: str | None) -> None:
        self._app = app
        self._decision = decision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        keys: KeyRing = scope["app"].state.keys
        if self._decision is None:
            raise Forbidden("Nobody may use this.")
        if not keys.is_open:
            _check(Request(scope), keys, self._decision)
        await self._app(scope, receive, send)


def _check(request: Request, keys: KeyRing, scope: str) -> None:
    """Raise `Unauthorized` or `Forbidden` unless the request has a key for this (RFC 6750)."""
    sent = header(request, b"authorization")
    if sent is None:
        raise Unauthorized("Send an API key: `Authorization: Bearer stuff_...`.", 'realm="stuff"')
    scheme, _, token = sent.partition(" ")
    key = keys.find(token.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        raise Unauthorized(
            "This is no API key, or not any more. Send another.",
            'realm="stuff", error="invalid_token"',
        )
    if scope not in key.scopes:
        raise Forbidden(
            f"This key is not for this: it needs the scope {scope!r}.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
        )
