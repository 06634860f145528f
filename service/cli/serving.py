"""`stuff serve` and `stuff openapi`."""

import asyncio
import json
import logging
import os
import signal
import socket
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NoReturn

import typer
import uvicorn
from fastapi import FastAPI

from service.application import create_app
from service.cli.console import unusable
from service.declarations import read_declarations
from service.errors import ConfigurationError, EngineError
from service.mongo.database import check_database
from service.observability import logs, metrics
from service.server.alone import Hangups, Server
from service.server.checks import check_settings, doubts
from service.server.garbage import tune_garbage_collector
from service.server.http import http_options
from service.server.listening import bound_socket
from service.server.mongodb import running_mongodb
from service.server.supervisor import DeclaredCopy, Supervisor
from service.settings import Settings

log = logging.getLogger(__name__)

HEALTHCHECK = 30
"""Seconds for a worker process to start, or to answer a health check, on a busy machine."""

Host = Annotated[str | None, typer.Option(help="The address to listen on.")]
Port = Annotated[int | None, typer.Option(help="The port; 0 chooses a free one.")]
Workers = Annotated[int | None, typer.Option(help="Number of processes that serve requests.")]
DataDir = Annotated[Path | None, typer.Option(help="The data directory of the embedded engine.")]
Insecure = Annotated[
    bool | None,
    typer.Option("--insecure", help="Allow other machines to connect even if there is no key."),
]
Target = Annotated[Path, typer.Argument(help="The file to write; - is stdout.")]
CollectionsFile = Annotated[
    Path | None, typer.Option("--collections", help="The file that declares collections.")
]


def serve(
    host: Host = None,
    port: Port = None,
    workers: Workers = None,
    data_dir: DataDir = None,
    insecure: Insecure = None,
) -> None:
    """Serve the store until SIGTERM or Ctrl-C.

    Without STUFF_MONGODB_URI, this starts the embedded engine, and stops it at the end.
    """
    settings = read_settings(
        host=host, port=port, workers=workers, data_dir=data_dir, insecure=insecure
    )
    config = _config(settings, "service.app:app")
    logs.capture()
    try:
        _serve(settings, config)
    except (ConfigurationError, EngineError) as error:
        if settings.log_format != "json":
            raise
        log.critical("%s", error)
        sys.exit(2 if isinstance(error, ConfigurationError) else 1)


def _serve(settings: Settings, config: uvicorn.Config) -> None:
    """Raises `ConfigurationError` and `EngineError`."""
    check_settings(settings)
    declarations = read_declarations(settings)
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    for doubt in doubts(settings):
        log.warning("%s", doubt)
    with ExitStack() as stack:
        listener = stack.enter_context(bound_socket(settings.host, settings.port))
        mongodb = stack.enter_context(running_mongodb(settings))
        if mongodb.is_embedded:
            os.environ["STUFF_MONGODB_URI"] = mongodb.uri  # for worker processes
        names = [declaration.mongodb for declaration in declarations.values()]
        asyncio.run(check_database(settings, mongodb.uri, names))
        stack.enter_context(metrics.shared(settings.workers))
        port = listener.getsockname()[1]
        documents = ", ".join(f"{settings.database}.{name}" for name in names)
        logs.announce(settings, f"Documents are kept in {documents} of {mongodb}.")
        logs.announce(settings, f"Swagger UI: http://{reachable(settings.host)}:{port}/docs")
        if settings.workers > 1:
            folder = stack.enter_context(TemporaryDirectory(prefix="stuff-"))
            declared = DeclaredCopy(settings, Path(folder))
            Supervisor(declared, config, [listener]).run()
        else:
            _serve_alone(settings, config, listener)


def _config(settings: Settings, app: str | FastAPI) -> uvicorn.Config:
    """How uvicorn serves the application: an object, or where worker processes find it."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        log_level=settings.log_level,
        log_config=logs.config(settings),
        access_log=False,  # it would have the queries
        timeout_graceful_shutdown=settings.shutdown_timeout,
        timeout_worker_healthcheck=HEALTHCHECK,
        **http_options(settings),
    )


def _serve_alone(settings: Settings, config: uvicorn.Config, listener: socket.socket) -> None:
    """Serve in this process: at SIGHUP another application, with new declarations."""
    hangups = Hangups()
    while True:
        server = Server(config, listener, hangups, settings)
        server.run([listener.dup()])
        if server.renewed is None:
            return
        # The settings are read anew: the environment has the address of the embedded engine.
        config = _config(settings, create_app(Settings(), server.renewed))
        tune_garbage_collector()


def openapi(target: Target = Path("-"), collections: CollectionsFile = None) -> None:
    """Write the OpenAPI document.

    It needs no database.
    """
    settings = Settings() if collections is None else Settings(collections=collections)
    text = json.dumps(create_app(settings).openapi(), indent=2, ensure_ascii=False) + "\n"
    if target == Path("-"):
        sys.stdout.write(text)
        return
    try:
        target.write_text(text, encoding="utf-8")
    except OSError as error:
        raise unusable(target, error) from None


def reachable(host: str) -> str:
    """The host in a URL by which this machine reaches a service that listens on it."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host else host


def read_settings(**options: Any) -> Settings:
    """The settings: options that are not None override the environment.

    They are put into the environment, since worker processes read their settings from there.
    Raises `ConfigurationError`.
    """
    given = {name: value for name, value in options.items() if value is not None}
    os.environ.update({f"STUFF_{name.upper()}": str(value) for name, value in given.items()})
    return Settings()


def _leave(*_: object) -> NoReturn:
    """Exit with status 0 on a signal: before and after uvicorn sets its own handlers, and when
    uvicorn raises the signal again after a graceful shutdown."""
    raise SystemExit(0)
