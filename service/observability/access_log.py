"""The access log: a line for each request, when it has ended.

Lines have the same form and stream as the rest of the log, but are not made by `logging`, which
takes four times as long. So a line costs about a twelfth of a GET; it would be a third.
"""

import os
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

import orjson

from service.settings import Settings

STDOUT, STDERR = 1, 2
MAX_CLIENT = 64
"""Characters of an address: a proxy may have passed on what the client claims to be."""


class Access(NamedTuple):
    """A request that has ended. It has a route, and no path: queries and ids are content."""

    method: str
    route: str | None
    status: int | None  # none if the client left before there was a response
    seconds: float  # until the last byte was sent
    bytes: int  # of the body of the response
    request_id: str
    key: str | None  # the id of the API key, if it is valid
    client: str | None  # the address


def logs_accesses(settings: Settings) -> bool:
    """Whether there is an access log: its lines are of level info."""
    return settings.access_log and settings.log_level in ("info", "debug")


class AccessLog:
    """Writes lines to standard output (json) or standard error (console)."""

    def __init__(self, settings: Settings) -> None:
        self._is_json = settings.log_format == "json"
        self._stream = STDOUT if self._is_json else STDERR

    def write(self, access: Access) -> None:
        line = _json(access) if self._is_json else _text(access)
        with suppress(OSError):  # as `logging` does: a request does not fail because of its log
            os.write(self._stream, line)


def of_client(address: str) -> str:
    """The address as it may be logged."""
    return ascii(address)[1:-1][:MAX_CLIENT]


def _json(access: Access) -> bytes:
    fields = {
        "time": datetime.now(UTC),
        "level": "info",
        "logger": "service.access",
        "message": f"{access.method} {access.route} {access.status}",
        **access._asdict(),
    }
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)


def _text(access: Access) -> bytes:
    key = f" key {access.key}" if access.key else ""
    return (
        f"INFO:     {access.client} {access.method} {access.route} {access.status} "
        f"{access.bytes} bytes {access.seconds:.6f} s{key} [{access.request_id}]\n"
    ).encode()
