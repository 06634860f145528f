"""An engine whose commands fail or hang when a test says so.

https://github.com/mongodb/mongo/wiki/The-%22failCommand%22-fail-point
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pymongo import MongoClient

from tests.support.patience import TIMEOUT


class FailingEngine:
    """The embedded engine, told what to do with the next commands of the service."""

    def __init__(self, mongo: MongoClient[dict[str, Any]], uri: str) -> None:
        self._mongo = mongo
        self.uri = uri
        self.collection = mongo["demo"]["stuff"]

    def fail(self, commands: list[str], times: int, **failure: Any) -> None:
        self._mongo.admin.command(
            {
                "configureFailPoint": "failCommand",
                "mode": {"times": times},
                "data": {"failCommands": commands, "appName": "stuff", **failure},
            }
        )

    def block(self, seconds: float, commands: list[str], times: int) -> None:
        self.fail(commands, times, blockConnection=True, blockTimeMS=int(seconds * 1000))

    def stop_failing(self) -> None:
        self._mongo.admin.command({"configureFailPoint": "failCommand", "mode": "off"})


def allow_test_commands(home: Path) -> dict[str, str]:
    """The environment in which a service starts its embedded engine with test commands: a home
    directory with a configuration file of the engine."""
    file = home / ".secantus" / "secantusd.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[server]\nenable_test_commands = true\n")
    return {"HOME": str(home)}


@contextmanager
def failing_engine(port: int) -> Iterator[FailingEngine]:
    """The engine on this port, which was started with `--enable-test-commands`, when it answers."""
    uri = f"mongodb://127.0.0.1:{port}/?retryWrites=false&retryReads=false"
    with MongoClient[dict[str, Any]](uri, serverSelectionTimeoutMS=int(TIMEOUT * 1000)) as mongo:
        mongo.admin.command("ping")
        yield FailingEngine(mongo, uri)
