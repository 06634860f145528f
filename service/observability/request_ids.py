"""What every response carries: the id of its request, and header fields for browsers and caches."""

import os
import re
from collections.abc import Iterable
from contextvars import ContextVar

REQUEST_ID = b"x-request-id"
_VALID = re.compile(rb"[\x21-\x7e]{1,128}")

request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the current request, for logs and problems."""

DEFAULTS = (
    # Anything but our own pages: no sniffing, no framing.
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    # A cache must revalidate. Without this, Last-Modified would let a client's own cache answer
    # with what was there before the client's last write (RFC 9111, section 4.2.2).
    (b"cache-control", b"no-cache"),
)
"""Header fields of every response that does not set them itself."""


def make_request_id(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The id that the request sends, or a new one: 32 hexadecimal digits."""
    for name, value in headers:
        if name == REQUEST_ID and _VALID.fullmatch(value):
            return value
    return os.urandom(16).hex().encode()
