"""Checks the scopes that a route needs. A route that declares none is closed."""

from collections.abc import Iterable
from copy import copy
from functools import reduce

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import Forbidden, LocalOnly, TokenKeysUnavailable, Unauthorized, raises
from service.security import (
    PUBLIC,
    READ,
    SCOPES,
    Decision,
    Gate,
    decision_of,
    id_of_key,
    scoped,
    scopes_anywhere,
    scopes_in,
)
from service.web.headers import header

DEFAULT_COLLECTION = "stuff"
"""The collection that is always served. Refusals there name the plain scopes."""
_ALL = frozenset(SCOPES)
# In the scope of ASGI:
_GRANTED = "stuff.scopes"
_HELD = "stuff.held"
COLLECTION = "stuff.collection"
"""The name of the collection that the request is about, in paths; None if it is about none."""
KEY_ID = "stuff.key"
"""The id of the API key of the request, once the key is known to be valid."""


def guarded(route: APIRoute, collection: str | None = None) -> APIRoute:
    """The route, which belongs to this collection or to none, with a check of what its endpoint
    declares."""
    own = copy(route)  # routes are shared by all applications of a process
    decision = decision_of(route.endpoint)
    if decision != PUBLIC:
        own.app = Guard(route.app, decision, collection)
    return own


class Guard:
    """Lets requests with access pass to the application."""

    def __init__(self, app: ASGIApp, decision: Decision | None, collection: str | None) -> None:
        self._app = app
        self._decision = decision
        self._collection = collection

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.check(scope)
        await self._app(scope, receive, send)

    async def check(self, scope: Scope) -> None:
        """Raise an error unless the request has access."""
        gate: Gate = scope["app"].state.gate
        if self._decision is None:
            raise Forbidden("This address is closed to everybody.")
        scope[COLLECTION] = self._collection
        if gate.opens_at((scope.get("server") or ("",))[0]):
            scope[_GRANTED] = scope[_HELD] = _ALL
        else:
            scope[_GRANTED] = await check_access(
                Request(scope), gate, self._decision, self._collection
            )


@raises(Unauthorized, Forbidden, LocalOnly, TokenKeysUnavailable)
async def check_access(
    request: Request, gate: Gate, decision: Decision, collection: str | None
) -> frozenset[str]:
    """Which of `read` and `write` the request has in the collection, or outside of all. Raises
    `Unauthorized` or `Forbidden` (RFC 6750), or `LocalOnly`, unless these are what it needs."""
    if gate.is_open:
        raise LocalOnly(
            "This server has no API keys, so it serves its own machine only. Its operator can "
            "create one (stuff key create), or set STUFF_INSECURE to let anyone do anything."
        )
    held = await _scopes_of(request, gate)
    granted = scopes_anywhere(held) if decision.anywhere else scopes_in(held, collection)
    if not decision.admits(granted):
        raise insufficient(decision, "This", collection)
    return granted


async def _scopes_of(request: Request, gate: Gate) -> frozenset[str]:
    """All scopes of the key or token of the request. Raises `Unauthorized` (RFC 6750)."""
    scheme, _, credentials = (header(request, b"authorization") or "").partition(" ")
    if scheme.lower() != "bearer" or not credentials.strip():
        raise Unauthorized("Send an API key: `Authorization: Bearer stuff_...`.", is_invalid=False)
    granted = await gate.scopes(credentials.strip())
    request.scope[KEY_ID] = id_of_key(credentials.strip())
    request.scope[_HELD] = granted
    return granted


def with_any_key(app: ASGIApp) -> ASGIApp:
    """The application for requests with a key or token, whatever its scopes. A service without keys
    needs none."""

    async def checked(scope: Scope, receive: Receive, send: Send) -> None:
        gate: Gate = scope["app"].state.gate
        if not gate.is_open:
            await _scopes_of(Request(scope), gate)
        await app(scope, receive, send)

    return checked


def owner_of(request: Request) -> tuple[str, ...]:
    """Whose key or token the request has; empty if it needed none."""
    if KEY_ID not in request.scope:
        return ()
    gate: Gate = request.app.state.gate
    _, _, credentials = (header(request, b"authorization") or "").partition(" ")
    return gate.owner(credentials.strip())


def may_read(request: Request) -> bool:
    """Whether the request may see what is stored."""
    return READ in request.scope.get(_GRANTED, ())


@raises(Forbidden)
def check_may_read(request: Request, what: str) -> None:
    """Raise `Forbidden` unless the request may see what is stored. `what` begins the message."""
    if not may_read(request):
        raise insufficient(Decision(_ALL), what, request.scope.get(COLLECTION))


def may_read_in(request: Request, collection: str) -> bool:
    """Whether the request may see what is stored in this collection."""
    return READ in scopes_in(request.scope.get(_HELD, ()), collection)


@raises(Forbidden)
def check_scopes(
    request: Request, collection: str, scopes: frozenset[str], what: str = "This"
) -> None:
    """Raise `Forbidden` unless the request has these scopes in the collection."""
    decision = Decision(scopes)
    if not decision.admits(scopes_in(request.scope.get(_HELD, ()), collection)):
        raise insufficient(decision, what, collection)


def narrow(request: Request, collections: Iterable[str]) -> None:
    """Let the request have only the scopes that it has in all of these collections."""
    held = request.scope.get(_HELD, ())
    each = (scopes_in(held, collection) for collection in collections)
    request.scope[_GRANTED] = reduce(frozenset.intersection, each, _ALL)


def insufficient(decision: Decision, what: str, collection: str | None) -> Forbidden:
    """The refusal of a request that lacks what this decision needs in the collection."""
    names = [scope for scope in SCOPES if scope in decision.scopes]
    if collection not in (None, DEFAULT_COLLECTION):
        names = [scoped(scope, collection) for scope in names]
    if len(names) == 1:
        detail = f"{what} needs the scope {names[0]!r}, which the key or token does not have."
    elif decision.one_suffices:
        one, other = map(repr, names)
        detail = f"{what} needs the scope {one} or {other}. The key or token has neither."
        del names[1:]  # what is needed at least
    else:
        one, other = map(repr, names)
        detail = f"{what} needs the scopes {one} and {other}. The key or token does not have both."
    challenge = f'Bearer error="insufficient_scope", scope="{" ".join(names)}"'
    return Forbidden(detail, headers={"WWW-Authenticate": challenge})


def path_of_collection(request: Request) -> str:
    """The path of the collection that the request is about, as clients see it."""
    root: str = request.scope.get("root_path", "")
    return f"{root.rstrip('/')}/{request.scope[COLLECTION]}"
