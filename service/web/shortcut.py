"""Takes requests for one document past the routers and the layers around them."""

from collections.abc import Mapping, Sequence

from fastapi import Request
from fastapi.routing import APIRoute
from starlette._utils import get_route_path
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Receive, Scope, Send

from service.errors import StuffError
from service.web import problems
from service.web.access import Guard
from service.web.direct import DirectRoute

DOCUMENT = "/{id:document_id}"
"""How the path of a document continues that of its collection."""


class ShortcutMiddleware:
    """Answers requests for `/{collection}/{id}` as the routes of FastAPI would, in fewer steps.

    Between the middleware and an endpoint there are layers that handle exceptions and close files,
    a router that tries one route after the other, and the route. They cost more than a read. A
    `DirectRoute` needs none of them: what they do for it is done here. Requests with a query, those
    that are traced, and those of other routes take the usual way.
    """

    def __init__(self, app: ASGIApp, routes: Mapping[str, Sequence[APIRoute]]) -> None:
        """`routes` are those of each collection, by its name, in the order of their precedence."""
        self._app = app
        self._routes: dict[tuple[str, str], tuple[DirectRoute, Guard]] = {}
        for name, each in routes.items():
            for route in each:
                if (
                    isinstance(route, DirectRoute)
                    and isinstance(route.app, Guard)
                    and route.path == f"/{name}{DOCUMENT}"
                    and not route.needs_query
                ):
                    for method in route.methods or ():
                        self._routes.setdefault((name, method), (route, route.app))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._find(scope)
        if found is None:
            await self._app(scope, receive, send)
            return
        route, guard = found
        request = Request(scope, receive, send)
        try:
            await guard.check(scope)
            response = await route.respond(request)
        except StuffError as error:
            response = problems.problem_response(request, error)
            # Requests of one batch share an error, to which each would add its own traceback.
            error.__traceback__ = None
        except ClientDisconnect:
            response = problems.cut_short_response(request)
        await response(scope, receive, send)

    def _find(self, scope: Scope) -> tuple[DirectRoute, Guard] | None:
        """The route of the request and what guards it, if it can go this way."""
        if scope["type"] != "http" or scope["query_string"] or "fastapi.telemetry" in scope:
            return None
        path = get_route_path(scope) if scope.get("root_path") else scope["path"]
        parts = path.split("/", 2)
        if len(parts) < 3:
            return None
        _, name, id = parts  # the first part is what comes before the first slash: nothing
        found = self._routes.get((name, scope["method"]))
        if found is not None:
            scope["route"] = found[0]
            scope["endpoint"] = found[0].endpoint
            scope["path_params"] = {"id": id}
        return found
