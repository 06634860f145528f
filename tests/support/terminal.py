"""A shell, and the service it talks to, for what a reader of the documentation types."""

import os
import queue
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from service.server.engine import EmbeddedEngine
from tests.support.consoles import Command, File
from tests.support.patience import TIMEOUT, patient
from tests.support.serving import stuff_serve

ROOT = Path(__file__).parents[2]
ADDRESS = "127.0.0.1:8000"
"""Where the service listens in the documentation."""
MONGODB = "mongodb://localhost:27017/"
"""The MongoDB that a reader of the documentation has already."""
DATA = "/home/you/stuff/data"
FILES = {"STUFF_API_KEYS_FILE", "STUFF_COLLECTIONS", "STUFF_INDEXES"}
END = "the command has ended"
DOWNLOADING = patient(180.0)
"""Seconds for a command that installs packages."""
LIBRARY = Path("examples") / "library"
"""What pages use of the checkout that they are read in."""


class Terminal:
    """One shell in a directory of its own. `stuff serve` and `make run` start the service, or
    replace the one that runs; a page without them finds one running. A page that names `MONGODB`
    finds it running, too."""

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self.directory = directory
        self.home = directory / "home"
        self.services = stack.enter_context(ExitStack())
        self.address = ""
        self.exported: dict[str, str] = {}
        self.mongodb = ""
        self.stack = stack
        made = shutil.ignore_patterns(*(ROOT / LIBRARY / ".gitignore").read_text().split())
        shutil.copytree(ROOT / LIBRARY, self.home / LIBRARY, ignore=made)
        # A terminal shows no progress where the output is not a file.
        (self.home / ".curlrc").write_text("silent\nshow-error\n")
        self.output: queue.Queue[str] = queue.Queue()
        self.shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=self.home,
            env=self.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        stack.callback(self.close)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def environment(self) -> dict[str, str]:
        commands = self.directory / "bin"
        commands.mkdir()
        stuff = commands / "stuff"
        stuff.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m service "$@"\n')
        stuff.chmod(0o755)
        return {
            "HOME": str(self.home),
            "PATH": f"{commands}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "STUFF_DATA_DIR": str(self.directory / "data"),
            "COLUMNS": "200",
            "LC_ALL": "C.UTF-8",
        }

    def write(self, file: File) -> None:
        (self.home / file.name).write_text(self.with_mongodb(file.text))

    def with_mongodb(self, text: str) -> str:
        """The text with the URI of the MongoDB that runs."""
        if MONGODB in text and not self.mongodb:
            engine = EmbeddedEngine(self.directory / "mongodb")
            self.mongodb = engine.start()
            self.stack.callback(engine.stop)
            self.stack.callback(self.services.close)
        return text.replace(MONGODB, self.mongodb)

    def run(self, command: Command) -> str:
        """What is printed until it is what the page shows, or until the command has ended and
        nothing runs in the background."""
        text = self.with_mongodb(command.text)
        if text.startswith("export "):
            self.exported |= settings_in(text)
        if is_serving(text):
            return self.serve(text)
        if not self.address:
            self.serve("stuff serve")
        text = text.replace("localhost:8000", self.address).replace(ADDRESS, self.address)
        self.type(f"{{ {text}\n}} < /dev/null")
        self.type(f"printf '\\n{END} %s\\n' $(jobs -r | wc -l)")
        limit = DOWNLOADING if is_downloading(command.text) else TIMEOUT
        printed, output, deadline = "", "", time.monotonic() + limit
        while True:
            try:
                printed += self.output.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return output or self.shown(printed)
            before, end, after = printed.partition(f"\n{END} ")
            if end and "\n" in after:
                running, _, later = after.partition("\n")
                output = self.shown(before + later)
                if running == "0" or command.shows(output):
                    return output

    def shown(self, printed: str) -> str:
        printed = printed.replace(str(self.directory / "data"), DATA)
        if self.mongodb:
            printed = printed.replace(urlsplit(self.mongodb).netloc, urlsplit(MONGODB).netloc)
        return printed.replace(self.address, ADDRESS).strip("\n")

    def serve(self, text: str) -> str:
        words = shlex.split(text)
        variables = self.exported | settings_in(text)
        for name in FILES & set(variables):
            variables[name] = str(self.home / variables[name])
        options = words[words.index("serve") + 1 :] if "serve" in words else []
        self.services.close()
        said = self.directory / "said"
        service = self.services.enter_context(
            stuff_serve(self.directory / "data", *options, stdout=said, stderr=None, **variables)
        )
        self.address = service.base_url.removeprefix("http://")
        self.type(f"export STUFF_URL=http://{self.address}")
        return self.shown(said.read_text())

    def type(self, text: str) -> None:
        assert self.shell.stdin is not None
        self.shell.stdin.write(f"{text}\n".encode())
        self.shell.stdin.flush()

    def read(self) -> None:
        assert self.shell.stdout is not None
        while printed := os.read(self.shell.stdout.fileno(), 65536):
            self.output.put(printed.decode())

    def close(self) -> None:
        """End the shell and what it left running."""
        with self.shell:
            os.killpg(self.shell.pid, signal.SIGKILL)
            self.reader.join(TIMEOUT)


def settings_in(command: str) -> dict[str, str]:
    """The settings that a command gives or exports."""
    words = shlex.split(command)
    return dict(word.split("=", 1) for word in words if word.startswith("STUFF_") and "=" in word)


def is_serving(command: str) -> bool:
    words = [word for word in shlex.split(command, comments=True) if "=" not in word]
    return words[:2] in (["make", "run"], ["stuff", "serve"])


def is_downloading(command: str) -> bool:
    return shlex.split(command, comments=True)[:2] in (["npm", "install"], ["pip", "install"])


@contextmanager
def open_terminal(directory: Path) -> Iterator[Terminal]:
    assert shutil.which("curl"), "the documentation uses curl"
    with ExitStack() as stack:
        yield Terminal(directory, stack)
