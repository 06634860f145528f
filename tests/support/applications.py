"""Applications in the process of the tests: called directly, or behind a real server."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol

import httpx
import uvicorn

from service.application import create_app
from service.server.http import http_options
from service.settings import Settings
from tests.support.clients import connect


class Application(Protocol):
    """A client of a new application with other settings than the usual."""

    def __call__(self, **settings: Any) -> AbstractAsyncContextManager[httpx.AsyncClient]: ...


@asynccontextmanager
async def serve(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a new application, inside its lifespan."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://localhost") as client,
    ):
        yield client


@asynccontextmanager
async def listen(settings: Settings) -> AsyncIterator[str]:
    """The address of a new application behind a real server, on the loopback interface."""
    config = uvicorn.Config(create_app(settings), log_level="warning", **http_options(settings))
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = asyncio.create_task(server.serve([listener]))
        while not server.started:
            assert not serving.done(), serving
            await asyncio.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


@asynccontextmanager
async def live(settings: Settings, **changes: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a new application behind a real server, with some settings changed."""
    async with listen(Settings(**settings.model_dump() | changes)) as url, connect(url) as client:
        yield client


@asynccontextmanager
async def process(uri: str, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a new application that stores documents in `demo.stuff` of this database."""
    async with (
        listen(Settings(mongodb_uri=uri, database="demo", **settings)) as url,
        connect(url, limits=httpx.Limits(max_connections=None)) as client,
    ):
        yield client
