"""The embedded engine: SecantusDB as a supervised child process.

It speaks MongoDB's protocol on a free port of the loopback interface and keeps its data in one
directory, which one process owns. It is an optional extra, licensed under the GPL, and never
imported: the service connects to it as to any MongoDB.
"""

import fcntl
import logging
import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from contextlib import suppress
from pathlib import Path

from service.errors import ConfigurationError, EngineError, how_to_install

log = logging.getLogger(__name__)

COMMAND = "secantusd-py"
URI_FILE = "engine.uri"
STORAGE = "engine"  # where the engine keeps its files, in the data directory
HOST = "127.0.0.1"
START_TIMEOUT = 30.0  # seconds until the engine accepts connections
RELEASE_TIMEOUT = 25.0  # seconds until an engine whose owner was killed has ended
RESTART_DELAYS = (0.1, 0.5, 1.0, 2.0, 5.0)  # seconds, by the number of failures in a row
STABLE_AFTER = 30.0  # seconds without a failure after which the next counts as the first


class EmbeddedEngine:
    """An engine on a data directory: started, restarted when it ends by itself, and stopped."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir.absolute()
        self._port = 0
        self._lock: int | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._supervisor: threading.Thread | None = None
        self._stopping = threading.Event()

    @property
    def uri(self) -> str:
        # It sorts its records of retryable writes on every write, which takes 6 ms after 10,000
        # writes.
        return f"mongodb://{HOST}:{self._port}/?retryWrites=false"

    def start(self) -> str:
        """Lock the directory, start the engine, and return its URI. Raises `EngineError`, and
        `ConfigurationError` if the directory cannot be used."""
        executable = _find_executable()
        try:
            self._data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _own(self._data_dir)
        except OSError as error:
            detail = f"{self._data_dir} cannot be used: {error.strerror}."
            raise ConfigurationError("data_dir", detail) from None
        try:
            self._port = _free_port()
            self._spawn(executable)
            self._await_connections()
            (self._data_dir / URI_FILE).write_text(self.uri)
        except BaseException:
            self.stop()
            raise
        self._supervisor = threading.Thread(target=self._supervise, args=(executable,), daemon=True)
        self._supervisor.start()
        return self.uri

    def stop(self) -> None:
        """Stop the engine and unlock the directory."""
        self._stopping.set()
        if self._process is not None:
            self._close_pipe(self._process)
            self._process.wait()
        if self._supervisor is not None:
            self._supervisor.join()
        if self._lock is not None:
            (self._data_dir / URI_FILE).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _spawn(self, executable: str) -> None:
        assert self._lock is not None
        command = [sys.executable, "-m", "service.server.watchdog", executable]
        command += ["--host", HOST, "--port", str(self._port), "--log-level", "WARNING"]
        command += ["--storage-path", str(self._data_dir / STORAGE)]
        with (self._data_dir / "engine.log").open("ab") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                # The watchdog must be importable from any current directory.
                env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
                # The lock is held until the service, the watchdog and the engine have all ended.
                pass_fds=[self._lock],
                start_new_session=True,
            )

    def _await_connections(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline and self._process.poll() is None:
            with socket.socket() as probe:
                probe.settimeout(1)
                if probe.connect_ex((HOST, self._port)) == 0:
                    return
            time.sleep(0.02)
        log_file = self._data_dir / "engine.log"
        tail = log_file.read_text(errors="replace").splitlines()[-5:]
        raise EngineError(f"The embedded engine did not start. See {log_file}:\n" + "\n".join(tail))

    def _supervise(self, executable: str) -> None:
        failures = 0
        while self._process is not None:
            started = time.monotonic()
            status = self._process.wait()
            if self._stopping.is_set():
                return
            failures = 0 if time.monotonic() - started > STABLE_AFTER else failures
            delay = RESTART_DELAYS[min(failures, len(RESTART_DELAYS) - 1)]
            failures += 1
            log.error("The embedded engine ended with status %d and will be restarted.", status)
            self._close_pipe(self._process)
            if self._stopping.wait(delay):
                return
            self._spawn(executable)
            if self._stopping.is_set():  # stop() may have closed the pipe of the process before
                self._close_pipe(self._process)

    @staticmethod
    def _close_pipe(process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        process.stdin.close()


def has_data(data_dir: Path) -> bool:
    """Whether an engine has ever been started on the directory."""
    return (data_dir / STORAGE).is_dir()


def find_running(data_dir: Path) -> str | None:
    """The URI of the engine that another process has started on the directory, if one has."""
    try:
        lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        with suppress(FileNotFoundError):
            return (data_dir / URI_FILE).read_text()
    finally:
        os.close(lock)
    return None


def _find_executable() -> str:
    scripts = sysconfig.get_path("scripts")
    found = shutil.which(COMMAND, path=f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}")
    if found is None:
        raise EngineError(
            f"The embedded engine is not installed. {how_to_install('embedded')} Or set "
            "STUFF_MONGODB_URI to use a MongoDB."
        )
    return found


def _own(data_dir: Path) -> int:
    """Lock the directory; the descriptor holds the lock. Raises `EngineError` if it is locked."""
    lock = os.open(data_dir / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + RELEASE_TIMEOUT
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = int(os.pread(lock, 20, 0) or b"0")
            if _lives(owner) or time.monotonic() > deadline:
                os.close(lock)
                raise EngineError(
                    f"Another process ({owner}) uses {data_dir}. Stop it, choose another directory "
                    "(--data-dir, STUFF_DATA_DIR), or share one engine with --workers."
                ) from None
            time.sleep(0.05)  # the owner was killed; its engine will end soon
        else:
            os.ftruncate(lock, 0)
            os.pwrite(lock, str(os.getpid()).encode(), 0)
            return lock


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port
