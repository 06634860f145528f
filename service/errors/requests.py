"""Errors in a request itself: in its syntax, credentials, address, format or size."""

from collections.abc import Iterable

from service.errors.base import StuffError


class MalformedRequest(StuffError):
    """400: the request cannot be understood."""

    status = 400


class BadRequest(MalformedRequest):
    """The request breaks the rules of HTTP."""

    slug, title = "bad-request", "The request is malformed"


class MalformedPath(MalformedRequest):
    """The percent-encoded path is not UTF-8."""

    slug, title = "malformed-path", "The path is not UTF-8"


class MalformedCoding(MalformedRequest):
    """The body does not have the content coding that Content-Encoding names, or is truncated."""

    slug, title = "malformed-coding", "The body cannot be unpacked"


class MalformedJSON(MalformedRequest):
    """The body of the request cannot be parsed as JSON (RFC 8259): it is truncated, is not UTF-8,
    or contains NaN, Infinity, a number that overflows to infinity, or a lone surrogate."""

    slug, title = "malformed-json", "The body is not JSON"


class InvalidPrecondition(MalformedRequest):
    """The value of If-Match or If-None-Match is neither * nor a list of entity tags. `parameter` is
    the name of the header field."""

    slug, title = "invalid-precondition", "The precondition is malformed"

    def __init__(self, header: str, detail: str) -> None:
        super().__init__(detail, members={"parameter": header})


class Unauthorized(StuffError):
    """The request has no API key or token, or has one that is unknown, revoked or expired."""

    status, slug, title = 401, "unauthorized", "An API key or a token is needed"

    def __init__(self, detail: str, *, is_invalid: bool = True) -> None:
        # https://www.rfc-editor.org/rfc/rfc6750#section-3
        challenge = 'Bearer realm="stuff"' + (', error="invalid_token"' if is_invalid else "")
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(StuffError):
    """The API key or token does not have the scope that the request needs: `read` or `write`."""

    status, slug, title = 403, "forbidden", "The API key or token does not allow this"


class LocalOnly(StuffError):
    """The server has no API keys, so it serves its own machine only. The request came from another
    machine, for a name that is not this machine's, or from a web page of another origin."""

    status, slug, title = 403, "local-only", "The server serves its own machine only"


class RouteNotFound(StuffError):
    """The service has no resource at this address."""

    status, slug, title = 404, "route-not-found", "There is no resource at this address"


class MethodNotAllowed(StuffError):
    """The resource does not have this method. The header field Allow names the methods it has."""

    status, slug, title = 405, "method-not-allowed", "The method is not allowed here"

    def __init__(self, method: str, allowed: Iterable[str]) -> None:
        names = ", ".join(allowed)
        super().__init__(
            f"{method} is not allowed here; allowed: {names}.", headers={"Allow": names}
        )


class NotAcceptable(StuffError):
    """The resource is available in none of the media types that Accept lists."""

    status, slug, title = 406, "not-acceptable", "No acceptable format is available"


class RequestTimeout(StuffError):
    """The client took too long to send the request (STUFF_CLIENT_TIMEOUT)."""

    status, slug, title = 408, "request-timeout", "The request did not arrive in time"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"This server waits {seconds:g} seconds for a request. Send it again, faster.",
            headers={"Connection": "close"},
        )


class UnsupportedMediaType(StuffError):
    """The method does not take a body of this media type, charset or content coding."""

    status, slug, title = 415, "unsupported-media-type", "The body's format is not supported"


class TooLarge(StuffError):
    """413, 414, 431: a part of the request is too large. `limit` is the most bytes it can have."""

    def __init__(self, detail: str, limit: int) -> None:
        self.limit = limit
        super().__init__(detail, members={"limit": limit})


class BodyTooLarge(TooLarge):
    """The body has more bytes than the server reads (STUFF_MAX_BODY_BYTES)."""

    status, slug, title = 413, "body-too-large", "The body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This server reads bodies of at most {limit:,} bytes. Send a smaller one.", limit
        )


class DocumentTooLarge(TooLarge):
    """The document, as BSON, is beyond MongoDB's limit of 16 MiB."""

    status, slug, title = 413, "document-too-large", "The document is too large"


class CommitTooLarge(TooLarge):
    """The documents that the commit reads and writes have too many bytes together."""

    status, slug, title = 413, "commit-too-large", "The commit is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The documents of a commit have at most {limit:,} bytes together as BSON, those that "
            "it reads and those that it writes. Split it.",
            limit,
        )


class UrlTooLong(TooLarge):
    """The address has more bytes than the server reads (STUFF_MAX_URL_BYTES)."""

    status, slug, title = 414, "url-too-long", "The address is too long"

    def __init__(self, limit: int, what: str = "addresses") -> None:
        super().__init__(
            f"This server reads {what} of at most {limit:,} bytes. Ask for less at once.", limit
        )


class HeadersTooLarge(TooLarge):
    """The header fields have more bytes than the server reads (STUFF_MAX_HEADER_BYTES)."""

    status, slug, title = 431, "headers-too-large", "The header fields are too large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This server reads header fields of at most {limit:,} bytes, where each counts 32 "
            "bytes more than it has. Send fewer, or smaller.",
            limit,
        )
