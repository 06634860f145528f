"""API keys, each with scopes.

A key is `stuff_ID_SECRET`. The service only keeps a line about it:

    ID SCOPES HASH NAME

with scopes (`read`, `write:books`) separated by commas and the SHA-256 of the whole key, which is
enough for a secret of 256 random bits. Lines come from a setting, or from a file that is read again
when it changes.
"""

import hmac
import logging
import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from service.errors import ConfigurationError, Unauthorized
from service.security.scopes import is_scope
from service.settings import Settings

log = logging.getLogger(__name__)

CHECK_INTERVAL = 1.0  # seconds between checks whether the file has changed

_LINE = re.compile(r"([0-9a-z]{1,32}) +([a-z0-9_:,]+) +([0-9a-f]{64})(?: +(.{0,200}))?")
_TOKEN = re.compile(r"stuff_([0-9a-z]{1,32})_([A-Za-z0-9_-]{20,200})")
_NOBODY = "0" * 64
_UNREADABLE = (0, 0, 0)


class KeyFault(Exception):
    """A line is not a key, or a name is not allowed; the message says which."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is kept of a key."""

    id: str
    scopes: frozenset[str]
    hash: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.id} {','.join(sorted(self.scopes))} {self.hash} {self.name}".rstrip()


def make_key(scopes: Iterable[str], name: str = "") -> tuple[str, ApiKey]:
    """A new key, and what to keep of it. Raises `KeyFault` for a name with a semicolon, or with
    characters that are not text."""
    name = " ".join(name.split())
    if ";" in name:  # which separates keys
        raise KeyFault("The name of a key may not contain a semicolon.")
    if not name.isprintable():
        raise KeyFault("The name of a key may not contain control characters.")
    id = secrets.token_hex(4)
    token = f"stuff_{id}_{secrets.token_urlsafe(32)}"
    return token, ApiKey(id, frozenset(scopes), _hash(token), name[:200].rstrip())


def id_of_key(token: str) -> str | None:
    """The id in an API key, which is no secret; None for other tokens."""
    match = _TOKEN.fullmatch(token)
    return match[1] if match else None


def parse_keys(text: str) -> dict[str, ApiKey]:
    """The keys of lines (or of parts between semicolons), by their ids. Raises `KeyFault`."""
    keys, bad_lines = read_keys(text)
    if bad_lines:
        line = re.split(r"[\n;]", text)[bad_lines[0] - 1].strip()
        if _TOKEN.fullmatch(line):
            raise KeyFault(
                f"Line {bad_lines[0]} is the key itself. Write the line with its hash "
                "instead, which `stuff key create` prints for STUFF_API_KEYS, or adds to the file."
            )
        raise KeyFault(f"Line {bad_lines[0]} is not a key. Create one with `stuff key create`.")
    return keys


def read_keys(text: str) -> tuple[dict[str, ApiKey], list[int]]:
    """The keys by their ids, and the numbers of the lines that are malformed."""
    keys: dict[str, ApiKey] = {}
    bad_lines: list[int] = []
    for number, line in enumerate(re.split(r"[\n;]", text), 1):
        line = line.strip()  # noqa: PLW2901
        if not line or line.startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        scopes = frozenset(match[2].split(",")) if match else frozenset()
        if match is None or not all(map(is_scope, scopes)):
            bad_lines.append(number)
            continue
        keys[match[1]] = ApiKey(match[1], scopes, match[3], match[4] or "")
    return keys, bad_lines


class KeyRing:
    """All accepted keys. Without a setting for keys, the service is open."""

    def __init__(self, settings: Settings) -> None:
        """Raises `ConfigurationError`."""
        text = settings.api_keys.get_secret_value() if settings.api_keys is not None else ""
        try:
            self._own = parse_keys(text)
        except KeyFault as fault:
            raise ConfigurationError("api_keys", str(fault)) from None
        self._file = settings.api_keys_file
        self.is_open = settings.api_keys is None and self._file is None
        self._from_file: dict[str, ApiKey] = {}
        self._seen: tuple[int, int, int] | None = None
        self._next_look = 0.0
        # A worker that is started again must not fail where one that runs goes on.
        self._look()

    def scopes(self, token: str) -> frozenset[str]:
        """The scopes of the key. Takes the same time whether it is known. Raises `Unauthorized`."""
        self._look()
        match = _TOKEN.fullmatch(token)
        id = match[1] if match else ""
        key = self._own.get(id) or self._from_file.get(id)
        same = hmac.compare_digest(_hash(token), key.hash if key else _NOBODY)
        if key is None or match is None or not same:
            raise Unauthorized("Unknown or revoked API key. Send another.")
        return key.scopes

    def _look(self) -> None:
        """Read the file again if it has changed."""
        now = time.monotonic()
        if self._file is None or now < self._next_look:
            return
        self._next_look = now + CHECK_INTERVAL
        if bad_line := self._read(self._file):
            log.error("%s: line %d is not a key and is ignored", self._file, bad_line)

    def _read(self, file: Path) -> int | None:
        """Read the file if it has changed. Returns the number of the first line that is not a key;
        the others take effect, so that one bad line neither locks everybody out nor keeps revoked
        keys valid."""
        try:
            status = file.stat()
            seen = (status.st_mtime_ns, status.st_size, status.st_ino)
            if seen == self._seen:
                return None
            text = file.read_text(errors="replace")
        except OSError as error:
            # An unreadable file admits nobody.
            if self._seen != _UNREADABLE:
                log.error("The API keys cannot be read: %s", error)
            self._seen, self._from_file = _UNREADABLE, {}
            return None
        self._seen = seen
        self._from_file, bad_lines = read_keys(text)
        return bad_lines[0] if bad_lines else None


def _hash(token: str) -> str:
    return sha256(token.encode("utf-8", "surrogateescape")).hexdigest()
