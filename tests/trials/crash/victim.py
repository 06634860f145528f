"""The service, whose processes are killed."""

import os
import random
import signal
import socket
from contextlib import ExitStack, suppress
from pathlib import Path

from tests.support.serving import Service, alive, engines, running, stuff_serve, wait_until
from tests.trials.crash.clients import Fault


class Victim:
    """The service, whose processes are killed, and which is there again."""

    def __init__(self, data_dir: Path, stack: ExitStack) -> None:
        self._data_dir = data_dir
        self._outer = stack
        self._inner = ExitStack()
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self._port = probe.getsockname()[1]
        self.base_url = f"http://127.0.0.1:{self._port}"
        self.service: Service
        stack.callback(self.stop)
        self.start()

    def start(self) -> None:
        log = self._inner.enter_context((self._data_dir.parent / "log").open("a"))
        options = ["--workers", "2", "--port", str(self._port)]
        self.service = self._inner.enter_context(stuff_serve(self._data_dir, *options, stderr=log))

    def stop(self) -> None:
        self._inner.close()
        wait_until(lambda: not running(str(self._data_dir)))

    def kill(self, target: str, chance: random.Random) -> None:
        if "engine" in target:
            for engine in engines(self._data_dir):
                with suppress(ProcessLookupError):  # it ended by itself
                    os.kill(engine, signal.SIGKILL)
        if "worker" in target:
            os.kill(chance.choice(self.service.workers()), signal.SIGKILL)
        if target == "parent":
            below = self.service.descendants()
            self.service.process.kill()
            self.service.process.wait()
            wait_until(lambda: not any(alive(pid) for pid in below))
            self._inner.close()
            if left := running(str(self._data_dir)):
                raise Fault(f"Processes are left behind: {left}")
            self.start()
