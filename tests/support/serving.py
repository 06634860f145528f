"""`stuff serve` as a process of its own."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

import httpx

from tests.support.clients import connect_blocking
from tests.support.patience import TIMEOUT


class Service:
    """A running `stuff serve` on a free port."""

    def __init__(self, process: subprocess.Popen[str], base_url: str) -> None:
        self.process = process
        self.base_url = base_url
        self.http = connect_blocking(base_url)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send the signal, and return the exit status."""
        self.process.send_signal(number)
        return self.process.wait(TIMEOUT)

    def commands(self) -> list[str]:
        """The command lines of the processes below this one."""
        below = self.descendants()
        return [command for pid, _, command in processes() if pid in below]

    def workers(self) -> list[int]:
        """The worker processes, where there are several."""
        below = self.descendants()
        return [pid for pid, _, command in processes() if pid in below and "spawn_main" in command]

    def descendants(self) -> list[int]:
        """The processes below this one, nearest first."""
        found, pending = [], [self.process.pid]
        while pending:
            children = children_of(pending.pop(0))
            found += children
            pending += children
        return found


def stuff(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "service", *arguments],
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        env=os.environ | environment,
    )


@contextmanager
def stuff_serve(
    data_dir: Path,
    *options: str,
    stdin: Any = None,
    stdout: Path | None = None,
    stderr: IO[str] | None = None,
    **environment: str,
) -> Iterator[Service]:
    """Start it, wait until it answers, and leave nothing of it behind. Its standard output is
    written to the file `stdout` as it comes, if it is given."""
    command = [sys.executable, "-m", "service", "serve", "--port", "0", *options]
    with nullcontext(subprocess.PIPE) if stdout is None else stdout.open("w") as output_file:
        process = subprocess.Popen(
            command,
            env=os.environ | {"STUFF_DATA_DIR": str(data_dir)} | environment,
            stdin=stdin,
            stdout=output_file,
            stderr=stderr,
            text=True,
        )
    said = process.stdout if stdout is None else stdout.open()
    assert said is not None
    service = None
    try:
        output = ""
        while "Swagger UI" not in output:
            line = said.readline()
            if not line:
                assert process.poll() is None, f"stuff serve ended: {output}"
                time.sleep(0.02)
            output += line
        match = re.search(r"http://\S+(?=/docs)", output)
        assert match, output
        service = Service(process, match.group())
        wait_until(lambda: answers(service))
        yield service
    finally:
        if service is not None:
            service.http.close()
        said.close()
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(TIMEOUT)


@contextmanager
def two_services(tmp_path: Path) -> Iterator[list[Service]]:
    """Three processes on one engine: a service of two workers, and another service."""
    with ExitStack() as stack:
        first = stack.enter_context(stuff_serve(tmp_path, "--workers", "2"))
        port = next(
            command.partition("--port ")[2].split()[0]
            for command in first.commands()
            if "--storage-path" in command
        )
        uri = f"mongodb://127.0.0.1:{port}/?retryWrites=false"
        yield [first, stack.enter_context(stuff_serve(tmp_path, STUFF_MONGODB_URI=uri))]


def answers(service: Service, path: str = "/readyz") -> bool:
    try:
        return service.http.get(path).status_code == 200
    except httpx.TransportError:
        return False


def wait_until(condition: Callable[[], bool], timeout: float = TIMEOUT) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def processes() -> Iterator[tuple[int, int, str]]:
    """Each live process: its id, its parent's, and its command line."""
    output = subprocess.run(
        ["ps", "-ww", "-eo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True
    ).stdout
    for line in output.splitlines():
        pid, ppid, state, command = line.split(None, 3)
        if not state.startswith("Z"):
            yield int(pid), int(ppid), command


def alive(pid: int) -> bool:
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # the latter when it ends while it is read
        return False


def children_of(parent: int) -> list[int]:
    return [pid for pid, ppid, _ in processes() if ppid == parent]


def running(text: str) -> list[int]:
    """The processes whose command line holds the text."""
    return [pid for pid, _, command in processes() if text in command]


def engines(data_dir: Path) -> list[int]:
    """The engine processes on the data directory, watchdogs not counted."""
    return [
        pid
        for pid, _, command in processes()
        if str(data_dir / "engine") in command and "service.server.watchdog" not in command
    ]
