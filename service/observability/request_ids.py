"""Request ids: each response, problem and line of the log has the id of its request."""

import random
import re
from collections.abc import Iterable
from contextvars import ContextVar

REQUEST_ID = b"x-request-id"
_VALID = re.compile(rb"[\x21-\x7e]{1,128}")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the current request, for logs and problems."""


def make_request_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The id that the request sends, or a new one: 32 hexadecimal digits."""
    for name, value in headers:
        if name == REQUEST_ID and _VALID.fullmatch(value):
            return value
    return b"%032x" % random.getrandbits(128)  # no secret, and no call of the system
