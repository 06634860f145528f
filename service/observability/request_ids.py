"""What every response carries, whoever made it: the id of its request, and what browsers may do."""

import os
import re
from collections.abc import Iterable
from contextvars import ContextVar

REQUEST_ID = b"x-request-id"
_VALID = re.compile(rb"[\x21-\x7e]{1,128}")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""Of the request that is being answered, for logs and problems."""

# What is no page of ours is no page: a browser must neither guess its type nor show it in a frame.
DEFAULTS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


def make_request_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The id that a request brings, or else a new one: 32 hexadecimal digits."""
    for name, value in headers:
        if name == REQUEST_ID and _VALID.fullmatch(value):
            return value
    return os.urandom(16).hex().encode()
