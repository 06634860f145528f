"""Header fields: reading one of a request, and those that every response has."""

from fastapi import Request

DEFAULTS = (
    # Anything but our own pages: no sniffing, no framing.
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    # A cache must revalidate. Without this, Last-Modified would let a client's own cache answer
    # with what was there before the client's last write (RFC 9111, section 4.2.2).
    (b"cache-control", b"no-cache"),
)
"""Header fields of every response that does not set them itself."""


_FIRST = "stuff.headers"


def header(request: Request, name: bytes) -> str | None:
    """The first header field of this name. Faster than `request.headers`, for hot paths."""
    fields: dict[bytes, bytes] = request.scope.get(_FIRST) or first_fields(request)
    value = fields.get(name)
    return None if value is None else str(value, "latin-1")


def first_fields(request: Request) -> dict[bytes, bytes]:
    """The first header field of each name; names are in lower case. Made once for a request."""
    fields: dict[bytes, bytes] | None = request.scope.get(_FIRST)
    if fields is None:
        fields = request.scope[_FIRST] = dict(reversed(request.scope["headers"]))
    return fields
