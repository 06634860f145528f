"""The application: its routes, its middleware, and what lives as long as it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import chain
from typing import Any

from fastapi import FastAPI
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from starlette.datastructures import State
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from service import __version__, openapi
from service.declarations import DEFAULT, Declarations, read_declarations
from service.mongo.database import open_database
from service.observability import tracing
from service.observability.access_log import AccessLog, logs_accesses
from service.observability.metrics import counted_process
from service.observability.tally import published
from service.routers import collection_routes, other_routes, page
from service.routers.assets import open_assets
from service.security import Gate, Origins
from service.server.connection_limits import open_connections
from service.server.lifecycle import on_stop, stop_with_parent
from service.server.mongodb import open_mongodb
from service.settings import Settings
from service.store.budget import Budget
from service.store.collection import open_collections
from service.web import problems
from service.web.access import with_any_key
from service.web.events import encode_change
from service.web.middleware import RequestMiddleware
from service.web.origins import OriginMiddleware
from service.web.routing import Dispatcher
from service.web.shortcut import ShortcutMiddleware


class PlainState(State):
    """Starlette's, with ordinary attributes, which are found without a step of the interpreter."""

    def __setattr__(self, key: str, value: Any) -> None:
        object.__setattr__(self, key, value)


class Application(FastAPI):
    """FastAPI, with fewer layers around each request."""

    _untraced: ASGIApp | None = None
    """What answers requests that are not traced, once the application has started."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """FastAPI's and Starlette's own, in one step for requests that are not traced."""
        if self._untraced is None or scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self._untraced(scope, receive, send)

    def build_middleware_stack(self) -> ASGIApp:
        """FastAPI's own, without what has no effect here: unexpected exceptions are answered by
        `RequestMiddleware`, bodies are limited by `read_chunks`, and exceptions are observed only
        by traces."""
        if self.state.settings.tracing:
            return super().build_middleware_stack()
        handlers = {
            kind: each for kind, each in self.exception_handlers.items() if kind is not Exception
        }
        app: ASGIApp = ExceptionMiddleware(AsyncExitStackMiddleware(self.router), handlers)
        for layer, args, options in reversed(self.user_middleware):
            app = layer(app, *args, **options)
        self._untraced = app
        return app


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[dict[str, Any]]:
    """Everything that lives as long as the application, and is handed out by dependencies."""
    settings: Settings = app.state.settings
    async with AsyncExitStack() as stack:
        stack.enter_context(stop_with_parent())
        stack.enter_context(counted_process())
        await stack.enter_async_context(published())
        tracing.keep_values_out(settings)
        stack.push_async_callback(app.state.gate.close)
        mongodb = await stack.enter_async_context(open_mongodb(settings))
        declarations: Declarations = app.state.declarations
        names = [declaration.mongodb for declaration in declarations.values()]
        database = await stack.enter_async_context(open_database(settings, mongodb.uri, names))
        app.state.database = database
        app.state.budget = budget = Budget(settings.max_total_body_bytes)
        collections = await stack.enter_async_context(
            open_collections(database, declarations, settings, budget, encode_change)
        )
        app.state.collections = collections.by_name
        app.state.commits = collections.commits
        app.state.records = collections.records
        stack.enter_context(on_stop(collections.feeds.close))
        # `LimitedProtocol` reads these.
        yield {"settings": settings, "connections": open_connections(settings)}


def create_app(
    settings: Settings | None = None, declarations: Declarations | None = None
) -> FastAPI:
    """The application with these settings, or with those of the environment, and with these
    declarations, or with those that the settings name."""
    settings = settings or Settings()
    declarations = declarations or read_declarations(settings)
    of_collections = collection_routes(declarations)
    app = Application(
        title="Stuff",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry=tracing.telemetry(settings),
        # Not `include_router`, which would match each request twice and is slow.
        routes=[*chain.from_iterable(of_collections.values()), *other_routes()],
    )
    app.state = PlainState()
    app.state.declarations = declarations
    app.state.dispatcher = app.router.middleware_stack = Dispatcher(app.router, of_collections)
    app.state.settings = settings
    app.state.gate = Gate(settings)
    app.state.assets = open_assets()
    app.state.outlines = page.outlines_of(declarations.values())
    if len(declarations) > 1 or declarations[DEFAULT].schema is not None:
        _close_descriptions(app)
    problems.install(app)
    app.add_middleware(ShortcutMiddleware, routes=of_collections)
    if app.state.gate.is_local_only:
        app.add_middleware(OriginMiddleware, origins=Origins(settings.cors_origins))
    app.add_middleware(
        RequestMiddleware,
        max_requests=settings.max_requests,
        cors=cors(settings.cors_origins) if settings.cors_origins else None,
        access_log=AccessLog(settings) if logs_accesses(settings) else None,
    )
    app.openapi = partial(openapi.build, app)  # type: ignore[method-assign]
    return app


def _close_descriptions(app: FastAPI) -> None:
    """With keys, what tells the names of collections and fields needs one."""
    for route in app.routes:
        if isinstance(route, Route) and route.path in (app.openapi_url, page.COLLECTIONS):
            route.app = with_any_key(route.app)


def cors(origins: str) -> dict[str, Any]:
    """The options of CORS: pages of these origins may send any request, with a key but no cookies.

    https://fetch.spec.whatwg.org/#http-cors-protocol
    """
    return {
        "allow_origins": [origin.strip() for origin in origins.split(",")],
        "allow_methods": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": [
            "Authorization", "Content-Type", "Content-Encoding", "If-Match", "If-None-Match",
            "If-Modified-Since", "If-Unmodified-Since", "Idempotency-Key", "Last-Event-ID",
            "Prefer", "X-Request-ID",
        ],
        "expose_headers": [
            "Content-Location", "ETag", "Idempotency-Replayed", "Last-Modified", "Link", "Location",
            "Preference-Applied", "Retry-After", "WWW-Authenticate", "X-Request-ID",
        ],
    }  # fmt: skip
