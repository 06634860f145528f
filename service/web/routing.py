"""Which routes a request may take: those of its collection, however many collections there are."""

from collections.abc import Iterable, Mapping
from copy import copy

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette._utils import get_route_path
from starlette.routing import BaseRoute, compile_path
from starlette.types import Receive, Scope, Send

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""The methods of HTTP that a route can have, in the order in which `Allow` names them."""


def served_at(route: APIRoute, path: str) -> APIRoute:
    """The same route at another path. What FastAPI has made of its endpoint is shared."""
    moved = copy(route)
    moved.path = path
    moved.path_regex, moved.path_format, moved.param_convertors = compile_path(path)
    return moved


class Dispatcher:
    """Takes a request to the routes of its collection by the first segment of its path and its
    method, or to those of everything else.

    A router tries one route after the other: with hundreds of routes, that would cost more than all
    else about a request.
    """

    def __init__(self, whole: APIRouter, collections: Mapping[str, list[APIRoute]]) -> None:
        """`whole` is the router of the application, with all routes, and the lifespan."""
        self._whole = whole
        self._collections = {
            (name, method): _router(routes, method)
            for name, routes in collections.items()
            for method in METHODS
        }
        self._of_any_method = {name: _router(routes) for name, routes in collections.items()}
        of_collections = {id(route) for routes in collections.values() for route in routes}
        self.others = _router(route for route in whole.routes if id(route) not in of_collections)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._whole.app(scope, receive, send)
            return
        name = _first_segment(scope)
        router = self._collections.get((name, scope["method"])) or self._router(name)
        await router.app(scope, receive, send)

    def routes(self, scope: Scope) -> list[BaseRoute]:
        """The routes that the request may take, with any method."""
        return self._router(_first_segment(scope)).routes

    def _router(self, name: str) -> APIRouter:
        return self._of_any_method.get(name, self.others)


def _router(routes: Iterable[BaseRoute], first: str = "") -> APIRouter:
    """A router that tries the routes of this method first. Those of the others tell a method that
    is not allowed from an address that does not exist."""
    ordered = sorted(routes, key=lambda route: first not in (getattr(route, "methods", None) or ()))
    return APIRouter(routes=ordered, redirect_slashes=False)


def _first_segment(scope: Scope) -> str:
    path = get_route_path(scope) if scope.get("root_path") else scope["path"]
    try:
        name: str = path.split("/", 2)[1]
    except IndexError:  # `OPTIONS *`
        return ""
    return name
