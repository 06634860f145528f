"""The file of API keys, one line per key (see `keys`).

Changes hold a lock on the directory, so that concurrent commands do not lose each other's changes.
A symbolic link is followed. Removing replaces the file by a new one with the same mode and owner,
so that a service never reads a half-written file.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from service.security.keys import ApiKey, parse_keys, read_keys

MODE = 0o600  # of a new file


class KeyFile:
    """Every method raises `OSError`."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()

    def read(self) -> list[ApiKey]:
        """The keys in their order. Raises `KeyFault` if a line of the file is not a key."""
        return list(parse_keys(self._path.read_text("utf-8", "replace")).values())

    def add(self, key: ApiKey) -> None:
        """Add the key on a line of its own. Creates the file if it does not exist."""
        with self._locked():
            descriptor = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, MODE)
            with os.fdopen(descriptor, "r+b") as file:
                is_whole = file.seek(0, os.SEEK_END) == 0 or self._path.read_bytes()[-1:] == b"\n"
                file.write((b"" if is_whole else b"\n") + f"{key}\n".encode())
                file.flush()
                os.fsync(file.fileno())

    def remove(self, id: str) -> bool:
        """Remove the key; False if no key has this id. Everything else stays, also comments and
        lines that are not keys."""
        with self._locked():
            text = self._path.read_text("utf-8", "surrogateescape")
            if id not in read_keys(text)[0]:
                return False
            lines = [
                ";".join(part for part in line.split(";") if id not in read_keys(part)[0])
                for line in text.split("\n")
            ]
            self._replace("\n".join(lines).encode("utf-8", "surrogateescape"))
            return True

    def _replace(self, content: bytes) -> None:
        status = self._path.stat()
        descriptor, name = tempfile.mkstemp(prefix=self._path.name, dir=self._path.parent)
        try:
            with os.fdopen(descriptor, "wb") as file:
                with suppress(PermissionError):  # only the superuser may give files away
                    os.fchown(file.fileno(), status.st_uid, status.st_gid)
                os.fchmod(file.fileno(), status.st_mode & 0o7777)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink()
            raise

    @contextmanager
    def _locked(self) -> Iterator[None]:
        descriptor = os.open(self._path.parent, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
            os.fsync(descriptor)  # so that a revoked key does not come back after a power failure
        finally:
            os.close(descriptor)
