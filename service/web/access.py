"""Checks the scopes that a route needs. A route that declares none is closed."""

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import Forbidden, LocalOnly, TokenKeysUnavailable, Unauthorized, raises
from service.security import PUBLIC, READ, SCOPES, Gate, decision_of, id_of_key
from service.web.headers import header

_ALL = frozenset(SCOPES)
# In the scope of ASGI:
_GRANTED = "stuff.scopes"
KEY_ID = "stuff.key"
"""The id of the API key of the request, once the key is known to be valid."""


def guarded(route: BaseRoute) -> BaseRoute:
    """The route, with a check of what its endpoint declares."""
    assert isinstance(route, APIRoute)
    decision = decision_of(route.endpoint)
    # Routes are shared by all applications of a process.
    if decision != PUBLIC and not isinstance(route.app, _Guard):
        route.app = _Guard(route.app, decision)
    return route


class _Guard:
    def __init__(self, app: ASGIApp, decision: frozenset[str] | None) -> None:
        self._app = app
        self._decision = decision

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gate: Gate = scope["app"].state.gate
        if self._decision is None:
            raise Forbidden("This address is closed to everybody.")
        if gate.opens_at((scope.get("server") or ("",))[0]):
            scope[_GRANTED] = _ALL
        else:
            scope[_GRANTED] = await check_access(Request(scope), gate, self._decision)
        await self._app(scope, receive, send)


@raises(Unauthorized, Forbidden, LocalOnly, TokenKeysUnavailable)
async def check_access(request: Request, gate: Gate, needed: frozenset[str]) -> frozenset[str]:
    """The scopes of the request. Raises `Unauthorized` or `Forbidden` (RFC 6750), or `LocalOnly`,
    unless these are all that it needs."""
    if gate.is_open:
        raise LocalOnly(
            "This server has no API keys, so it serves its own machine only. Its operator can "
            "create one (stuff key create), or set STUFF_INSECURE to let anyone do anything."
        )
    scheme, _, credentials = (header(request, b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        raise Unauthorized("Send an API key: `Authorization: Bearer stuff_...`.", is_invalid=False)
    granted = await gate.scopes(credentials.strip())
    request.scope[KEY_ID] = id_of_key(credentials.strip())
    if not needed <= granted:
        raise insufficient(needed, "This")
    return granted


def may_read(request: Request) -> bool:
    """Whether the request may see what is stored."""
    return READ in request.scope.get(_GRANTED, PUBLIC)


@raises(Forbidden)
def check_may_read(request: Request, what: str) -> None:
    """Raise `Forbidden` unless the request may see what is stored. `what` begins the message."""
    if not may_read(request):
        raise insufficient(_ALL, what)


def insufficient(needed: frozenset[str], what: str) -> Forbidden:
    """The refusal of a request that lacks one of these scopes."""
    names = [scope for scope in SCOPES if scope in needed]
    if len(names) == 1:
        detail = f"{what} needs the scope {names[0]!r}, which the key or token does not have."
    else:
        detail = f"{what} needs the scopes 'read' and 'write'. The key or token has one of them."
    challenge = f'Bearer error="insufficient_scope", scope="{" ".join(names)}"'
    return Forbidden(detail, headers={"WWW-Authenticate": challenge})
