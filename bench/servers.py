"""What is measured, each as a process of its own on a free port, all on one engine."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psutil

from bench.databases import Database

TIMEOUT = 30.0  # seconds for a server to start or to stop
UVICORN = ["-m", "uvicorn", "--no-access-log", "--log-level", "warning"]


@dataclass(frozen=True)
class Server:
    """A running server. `collection` is where its documents are, if it keeps any."""

    name: str
    url: str
    collection: str | None
    process: psutil.Process


@contextmanager
def stuff(
    database: Database,
    collection: str = "stuff",
    workers: int = 1,
    environment: dict[str, str] | None = None,
) -> Iterator[Server]:
    """This service, as `stuff serve` runs it."""
    settings = (environment or {}) | {
        "STUFF_MONGODB_URI": database.uri,
        "STUFF_DATABASE": database.name,
        "STUFF_COLLECTION": collection,
        "STUFF_LOG_LEVEL": "warning",
    }
    port = free_port()
    command = ["-m", "service", "serve", "--port", str(port), "--workers", str(workers)]
    with running("stuff", port, command, collection, settings) as server:
        yield server


@contextmanager
def baseline(database: Database, collection: str = "baseline") -> Iterator[Server]:
    """The original on aiohttp and Motor, with the driver's default write concern."""
    with _original("baseline", database, collection) as server:
        yield server


@contextmanager
def safe_baseline(database: Database, collection: str = "baseline") -> Iterator[Server]:
    """The original with the write concern of this service."""
    with _original("baseline, durable", database.durable(), collection) as server:
        yield server


@contextmanager
def empty_route() -> Iterator[Server]:
    port = free_port()
    command = [*UVICORN, "--port", str(port), "bench.ceilings:empty_route"]
    with running("empty FastAPI route", port, command, None) as server:
        yield server


@contextmanager
def bare_asgi() -> Iterator[Server]:
    port = free_port()
    command = [*UVICORN, "--port", str(port), "bench.ceilings:bare_asgi"]
    with running("bare ASGI", port, command, None) as server:
        yield server


@contextmanager
def _original(name: str, database: Database, collection: str) -> Iterator[Server]:
    port = free_port()
    arguments = [str(port), database.uri, database.name, collection]
    command = ["-m", "bench.baseline_aiohttp", *arguments]
    with running(name, port, command, collection) as server:
        yield server


@contextmanager
def running(
    name: str,
    port: int,
    command: list[str],
    collection: str | None,
    environment: dict[str, str] | None = None,
    python: str = sys.executable,
) -> Iterator[Server]:
    """What this command of Python serves, until the block ends."""
    process = subprocess.Popen(
        [python, *command],
        env=os.environ | (environment or {}),
        stdout=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(process, url)
        yield Server(name, url, collection, psutil.Process(process.pid))
    finally:
        process.terminate()
        try:
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(TIMEOUT)


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise SystemExit(f"bench: {process.args!r} ended with status {process.returncode}")
        try:
            urllib.request.urlopen(f"{url}/stuff/none", timeout=5).close()  # noqa: S310 (http)
        except urllib.error.HTTPError:
            return  # 404 is an answer
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"bench: {process.args!r} did not start")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
