"""Which routes a request may take: those of its collection, however many collections there are."""

from collections.abc import Mapping
from copy import copy

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette._utils import get_route_path
from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send


def served_at(route: APIRoute, path: str) -> APIRoute:
    """The same route at another path. What FastAPI has made of its endpoint is shared."""
    moved = copy(route)
    moved.path = path
    moved.path_regex, moved.path_format, moved.param_convertors = compile_path(path)
    return moved


class Dispatcher:
    """Takes a request to the router of its collection by the first segment of its path, or to that
    of everything else.

    A router tries one route after the other: with hundreds of routes, that would cost more than all
    else about a request.
    """

    def __init__(self, whole: APIRouter, collections: Mapping[str, list[APIRoute]]) -> None:
        """`whole` is the router of the application, with all routes, and the lifespan."""
        self._whole = whole
        self._collections = {
            name: APIRouter(routes=[*routes], redirect_slashes=False)
            for name, routes in collections.items()
        }
        of_collections = {id(route) for routes in collections.values() for route in routes}
        self.others = APIRouter(
            routes=[route for route in whole.routes if id(route) not in of_collections],
            redirect_slashes=False,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._whole.app(scope, receive, send)
            return
        await self.router(scope).app(scope, receive, send)

    def router(self, scope: Scope) -> APIRouter:
        """The router of a request."""
        # The first part is what comes before the first slash: nothing.
        name = get_route_path(scope).split("/", 2)[1:2]
        return self._collections.get(name[0], self.others) if name else self.others
