"""The engine, an application on a database of its own, and a client to talk to it."""

import os
import subprocess
import sysconfig
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from anyio.from_thread import start_blocking_portal
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from pymongo import MongoClient
from pymongo.collection import Collection

from service.server.engine import EmbeddedEngine
from service.settings import Settings
from tests.support import patience
from tests.support.applications import Application, listen, live, serve
from tests.support.database.playing import Play, played
from tests.support.database.roles import Role
from tests.support.database.server import PlayedDatabase
from tests.support.patience import patient
from tests.support.ports import find_free_port
from tests.support.problems import all_declared
from tests.support.scratch import in_memory

# The processes of pytest-xdist inherit these.
os.environ.setdefault(patience.VARIABLE, str(patience.FACTOR))
os.environ.setdefault("PYTEST_TIMEOUT", str(patience.patient(120)))
if memory := in_memory():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(memory))

hypothesis_settings.register_profile(
    "stuff",
    deadline=None,  # the machines that run this are shared
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
hypothesis_settings.load_profile("stuff")


LIMITS = ("operation_timeout", "query_timeout", "server_selection_timeout")


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return "asyncio", {"use_uvloop": True}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests say what their settings are."""
    for name in os.environ:
        if name.startswith("STUFF_"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Whatever is tested, every problem is one that the OpenAPI document promises."""
    with all_declared(monkeypatch):
        yield


@pytest.fixture(scope="session")
def mongodb_uri(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """STUFF_TEST_MONGODB_URI, or an embedded engine for this run."""
    uri = os.environ.get("STUFF_TEST_MONGODB_URI")
    if uri:
        yield uri
        return
    engine = EmbeddedEngine(tmp_path_factory.mktemp("data"))
    try:
        yield engine.start()
    finally:
        engine.stop()


@pytest.fixture(scope="session")
def mongo(mongodb_uri: str) -> Iterator[MongoClient[dict[str, Any]]]:
    """Another program on the same engine."""
    with MongoClient[dict[str, Any]](mongodb_uri) as client:
        yield client


@pytest.fixture
def play(mongodb_uri: str) -> Iterator[Play]:
    """Fails the test if a command came that MongoDB would not have accepted."""
    databases: list[PlayedDatabase] = []
    with ExitStack() as stack:

        def start(role: Role, *, forward: bool = False) -> PlayedDatabase:
            database = stack.enter_context(played(role, mongodb_uri if forward else None))
            databases.append(database)
            return database

        yield start
    for database in databases:
        database.check()


@pytest.fixture
def settings(mongodb_uri: str, mongo: MongoClient[dict[str, Any]]) -> Iterator[Settings]:
    database = f"stuff_test_{uuid.uuid4().hex}"
    limits = {name: patient(Settings.model_fields[name].default) for name in LIMITS}
    yield Settings(mongodb_uri=mongodb_uri, database=database, **limits)
    mongo.drop_database(database)


@pytest.fixture
def collection(
    mongo: MongoClient[dict[str, Any]], settings: Settings
) -> Collection[dict[str, Any]]:
    """The collection as another program sees it."""
    return mongo[settings.database][settings.collection]


@pytest.fixture
def application(settings: Settings) -> Application:
    def start(**changes: Any) -> AbstractAsyncContextManager[httpx.AsyncClient]:
        return serve(Settings(**(settings.model_dump() | changes)))

    return start


@pytest.fixture
async def client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    async with serve(settings) as client:
        yield client


@pytest.fixture
async def live_client(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """A client over a real connection."""
    async with live(settings) as client:
        yield client


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    """The address of an application in a thread of its own, for tests that are not asynchronous."""
    with (
        start_blocking_portal("asyncio", {"use_uvloop": True}) as portal,
        portal.wrap_async_context_manager(listen(settings)) as url,
    ):
        yield url


@pytest.fixture
def free_port() -> int:
    return find_free_port()


@pytest.fixture
def engine_on_port(tmp_path: Path) -> Iterator[Any]:
    """Starts the engine on a port of one's choice."""
    started: list[subprocess.Popen[bytes]] = []
    executable = Path(sysconfig.get_path("scripts")) / "secantusd-py"

    def start(port: int, *options: str) -> subprocess.Popen[bytes]:
        command = [str(executable), "--port", str(port), "--storage-path", str(tmp_path / "db")]
        started.append(subprocess.Popen([*command, "--log-level", "ERROR", *options]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()
