"""Checks the scope that a route needs. A route that declares none is closed."""

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import Forbidden, LocalOnly, TokenKeysUnavailable, Unauthorized, raises
from service.security import PUBLIC, Gate, decision_of
from service.web.headers import header


def guarded(route: BaseRoute) -> BaseRoute:
    """The route, with a check of what its endpoint declares."""
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
        gate: Gate = scope["app"].state.gate
        if self._decision is None:
            raise Forbidden("This address is closed to everybody.")
        if not gate.opens_at((scope.get("server") or ("",))[0]):
            await check_access(Request(scope), gate, self._decision)
        await self._app(scope, receive, send)


@raises(Unauthorized, Forbidden, LocalOnly, TokenKeysUnavailable)
async def check_access(request: Request, gate: Gate, scope: str) -> None:
    """Raise `Unauthorized` or `Forbidden` (RFC 6750), or `LocalOnly`, unless the request may do
    this."""
    if gate.is_open:
        raise LocalOnly(
            "This server has no API keys, so it serves its own machine only. Its operator can "
            "create one (stuff key create), or set STUFF_INSECURE to let anyone do anything."
        )
    scheme, _, credentials = (header(request, b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        raise Unauthorized("Send an API key: `Authorization: Bearer stuff_...`.", is_invalid=False)
    if scope not in await gate.scopes(credentials.strip()):
        raise Forbidden(
            f"This needs the scope {scope!r}, which the key or token does not have.",
            headers={"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{scope}"'},
        )
