"""The service, whose processes are killed."""

import os
import random
import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, ClassVar

from tests.support.serving import Service, alive, engines, running, stuff_serve, wait_until
from tests.trials.crash.clients import Fault


class Victim:
    """The service on its embedded engine. Its processes are killed, and it is there again."""

    kinds: ClassVar[tuple[str, ...]] = (
        "the worker killed", "the parent killed", "the engine killed",
        "the engine and the worker killed",
    )  # fmt: skip
    """What can be done to it."""
    workers: ClassVar[int] = 2
    going_on: ClassVar[tuple[float, float]] = (0.5, 1.5)
    """Seconds that clients use it yet when something was done to it: from, to."""

    def __init__(self, data_dir: Path, stack: ExitStack, **environment: str) -> None:
        self._data_dir = data_dir
        self._environment: dict[str, Any] = environment
        self._inner = ExitStack()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self._port}"
        self.service: Service
        stack.callback(self.stop)
        self.start()

    def start(self) -> None:
        log = self._inner.enter_context((self._data_dir.parent / "log").open("a"))
        options = ["--workers", str(self.workers), "--port", str(self._port)]
        self.service = self._inner.enter_context(
            stuff_serve(self._data_dir, *options, stderr=log, **self._environment)
        )

    def stop(self) -> None:
        self._inner.close()
        wait_until(lambda: not running(str(self._data_dir)))

    def check_restart(self) -> None:
        """Stop it, and check that nothing, such as a lock, prevents its store from being served."""
        self.stop()
        self.start()
        if self.service.http.get("/stuff?count=true").status_code != 200:
            raise Fault("The store does not start again.")

    def harm(self, kind: str, chance: random.Random) -> None:
        """Do something of this kind to it."""
        if "engine" in kind:
            self.kill_engine()
        if "worker" in kind:
            os.kill(chance.choice(self.service.workers()), signal.SIGKILL)
        if "parent" in kind:
            below = self.service.descendants()
            self.service.process.kill()
            self.service.process.wait()
            wait_until(lambda: not any(alive(pid) for pid in below))
            self._inner.close()
            if left := running(str(self._data_dir)):
                raise Fault(f"Processes are left behind: {left}")
            self.start()

    def heal(self) -> None:
        """Return when no write that was given up can take effect any more."""

    def kill_engine(self) -> None:
        for engine in engines(self._data_dir):
            with suppress(ProcessLookupError):  # it ended by itself
                os.kill(engine, signal.SIGKILL)
