"""Everything that can go wrong, in one tree.

    StuffError
      MalformedJSON            400  the body is no JSON
      MalformedCoding          400  the body is not gzip, as it says
      MalformedPath            400  the path is not UTF-8
      InvalidPrecondition      400  If-Match and its like are malformed
      Unauthorized             401  no API key or token, or none that is valid
      Forbidden                403  the API key or token is for something else
      DocumentNotFound         404
      NotAcceptable            406  the client takes no format there is
      RequestTimeout           408  the client is too slow
      DuplicateKey             409  another document holds a unique value
      PatchTestFailed          409  a JSON Patch tested for something else
      FeedGone                 410  the feed cannot go on there
      PreconditionFailed       412  If-Match and its like
      BodyTooLarge             413  more bytes than the service reads
      DocumentTooLarge         413  more BSON than MongoDB stores
      UrlTooLong               414
      UnsupportedMediaType     415
      InvalidDocument          422  JSON, but no document we can store
      InvalidPatch             422
      InvalidId                422
      InvalidParameter         422
      HeadersTooLarge          431
      DocumentRejected         422  refused by the database, e.g. by a validator
      WriteConflict            503  too many others write the document
      TokenKeysUnavailable     503  tokens cannot be checked
      Overloaded               503  too many requests at once
      FeedUnsupported          501  the database has no change streams
      FeedFull                 503  too many follow the feed
      DatabaseUnavailable      503  not acknowledged: the client may try again
      QueryTimeout             504  the database took too long for a query

Each is raised where it is known and becomes an RFC 9457 problem in one place,
`service.web.problems`. `slug`, `status` and `title` belong to the type and never
change; `detail` belongs to the occurrence and says what to do.
"""

from collections.abc import Mapping, Sequence
from typing import ClassVar


def json_pointer(path: Sequence[str | int]) -> str:
    """The RFC 6901 JSON Pointer of a path of keys and indices; `""` is the whole document."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


class StuffError(Exception):
    """The root: a problem type with the detail of one occurrence.

    `members` are the extension members of the problem (RFC 9457, section 3.2),
    `headers` the HTTP fields that go with it.
    """

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        members: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.members = dict(members or {})
        self.headers = dict(headers or {})


class MalformedJSON(StuffError):
    """The body of the request cannot be parsed as JSON (RFC 8259): it is truncated, or not UTF-8,
    or holds NaN, Infinity, a number that overflows to one, or a lone surrogate."""

    status, slug, title = 400, "malformed-json", "The body is not JSON"


class MalformedCoding(StuffError):
    """The body has not the content coding that it says, or is truncated."""

    status, slug, title = 400, "malformed-coding", "The body cannot be unpacked"


class MalformedPath(StuffError):
    """The percent-encoded path is not UTF-8."""

    status, slug, title = 400, "malformed-path", "The path is not UTF-8"


class InvalidPrecondition(StuffError):
    """The value of If-Match or If-None-Match is neither * nor a list of entity tags."""

    status, slug, title = 400, "invalid-precondition", "The precondition is malformed"

    def __init__(self, detail: str, header: str) -> None:
        super().__init__(detail, members={"parameter": header})


class Unauthorized(StuffError):
    """The request has no API key or token, or one that is not, or not any more, valid."""

    status, slug, title = 401, "unauthorized", "An API key or a token is needed"

    def __init__(self, detail: str, *, is_invalid: bool = True) -> None:
        # https://www.rfc-editor.org/rfc/rfc6750#section-3
        challenge = 'Bearer realm="stuff"' + (', error="invalid_token"' if is_invalid else "")
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class TokenKeysUnavailable(StuffError):
    """The keys that tokens are checked with cannot be had (STUFF_JWT_JWKS_URL)."""

    status, slug, title = 503, "token-keys-unavailable", "Tokens cannot be checked now"

    def __init__(self) -> None:
        super().__init__(
            "Whoever issues the tokens does not give the keys to check them. Try again shortly.",
            headers={"Retry-After": "5"},
        )


class Forbidden(StuffError):
    """The API key or token does not have the scope that the request needs: `read` or `write`."""

    status, slug, title = 403, "forbidden", "The API key or token is not for this"


class DocumentNotFound(StuffError):
    """No document has this id."""

    status, slug, title = 404, "document-not-found", "No such document"

    def __init__(self, id: str) -> None:
        super().__init__(f"There is no document {id!r}. PUT one to this address to create it.")


class DuplicateKey(StuffError):
    """The collection has a unique index, and another document holds the value already."""

    status, slug, title = 409, "duplicate-key", "A unique value is already taken"


class NotAcceptable(StuffError):
    """The resource is available in none of the media types that `Accept` lists."""

    status, slug, title = 406, "not-acceptable", "No acceptable format is available"


class RequestTimeout(StuffError):
    """The client took too long to send the request (STUFF_CLIENT_TIMEOUT)."""

    status, slug, title = 408, "request-timeout", "The request did not arrive in time"

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"This server waits {seconds:g} seconds for a request. Send it again, faster.",
            headers={"Connection": "close"},
        )


class UrlTooLong(StuffError):
    """The address has more bytes than the server reads (STUFF_MAX_URL_BYTES)."""

    status, slug, title = 414, "url-too-long", "The address is too long"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This server reads addresses of at most {limit:,} bytes. Ask for less at once.",
            members={"limit": limit},
        )


class HeadersTooLarge(StuffError):
    """The header fields have more bytes than the server reads (STUFF_MAX_HEADER_BYTES)."""

    status, slug, title = 431, "headers-too-large", "The header fields are too large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This server reads header fields of at most {limit:,} bytes. Send fewer, or smaller.",
            members={"limit": limit},
        )


class Overloaded(StuffError):
    """As many requests are in flight as the service takes at once (STUFF_MAX_REQUESTS)."""

    status, slug, title = 503, "overloaded", "Too many requests at once"

    def __init__(self) -> None:
        super().__init__(
            "The server works on as many requests as it can. Try again shortly.",
            headers={"Retry-After": "1"},
        )


class PreconditionFailed(StuffError):
    """The document is not in the state that If-Match, If-None-Match or If-Unmodified-Since asks
    for. `etag` is the entity tag of the state it is in, null if there is no document."""

    status, slug, title = 412, "precondition-failed", "The precondition failed"

    def __init__(self, detail: str, etag: str | None) -> None:
        super().__init__(detail, members={"etag": None if etag is None else f'"{etag}"'})


class BodyTooLarge(StuffError):
    """The body has more bytes than the server reads (STUFF_MAX_BODY_BYTES)."""

    status, slug, title = 413, "body-too-large", "The body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"This server reads bodies of at most {limit:,} bytes. Send a smaller one.",
            members={"limit": limit},
        )


class DocumentTooLarge(StuffError):
    """The document, as BSON, is beyond MongoDB's limit of 16 MiB."""

    status, slug, title = 413, "document-too-large", "The document is too large"


class UnsupportedMediaType(StuffError):
    """The body has another media type, charset or content coding than the method takes."""

    status, slug, title = 415, "unsupported-media-type", "The body's format is not supported"


class _AtPointer(StuffError):
    """A problem at one place of a JSON document."""

    def __init__(self, detail: str, path: Sequence[str | int] = ()) -> None:
        super().__init__(detail, members={"pointer": json_pointer(path)})


class InvalidDocument(_AtPointer):
    """The JSON is well-formed and cannot be stored without loss, or its form is reserved. `pointer`
    is the JSON Pointer to the place."""

    status, slug, title = 422, "invalid-document", "The JSON cannot be stored as a document"


class InvalidPatch(_AtPointer):
    """The patch is not well-formed, or one of its operations cannot be applied to the document.
    `pointer` is the JSON Pointer to the place in the patch."""

    status, slug, title = 422, "invalid-patch", "The patch cannot be applied"


class PatchTestFailed(_AtPointer):
    """A `test` operation of a JSON Patch found another value. `pointer` is the JSON Pointer to the
    operation in the patch."""

    status, slug, title = 409, "patch-test-failed", "A test of the patch failed"


class InvalidId(StuffError):
    """An id has 1 to 512 bytes of UTF-8 and no control characters."""

    status, slug, title = 422, "invalid-id", "The id is not valid"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, members={"parameter": "id"})


class InvalidParameter(StuffError):
    """A parameter of the request, named by `parameter`, has a value that is not allowed."""

    status, slug, title = 422, "invalid-parameter", "A parameter is not valid"


class DocumentRejected(StuffError):
    """MongoDB refused the document, e.g. because the collection's validator did."""

    status, slug, title = 422, "document-rejected", "The database refused the document"


class WriteConflict(StuffError):
    """Others changed the document each time between reading and writing it. Nothing was written."""

    status, slug, title = 503, "write-conflict", "The document is being written by too many"

    def __init__(self) -> None:
        super().__init__(
            "The document changed again and again while it was being written. Try again.",
            headers={"Retry-After": "1"},
        )


class FeedGone(StuffError):
    """The database does not remember the event any more, or the collection was dropped since."""

    status, slug, title = 410, "feed-gone", "The feed cannot go on from there"

    def __init__(self) -> None:
        super().__init__(
            "The database has forgotten what happened since. Read the documents again, and follow "
            "the feed without Last-Event-ID."
        )


class FeedUnsupported(StuffError):
    """The database is a single server, which has no change streams."""

    status, slug, title = 501, "feed-unsupported", "The database cannot tell what changes"

    def __init__(self) -> None:
        super().__init__(
            "Change streams need a replica set or a sharded cluster; this database is neither. "
            "Make it a replica set, of one node if need be, or read the documents again and again."
        )


class FeedFull(StuffError):
    """As many clients follow the feed, or filters are followed, as the service allows
    (STUFF_MAX_SUBSCRIBERS)."""

    status, slug, title = 503, "feed-full", "Too many follow the feed"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "5"})


class QueryTimeout(StuffError):
    """The database did not finish the query in the time that it may take (STUFF_QUERY_TIMEOUT). Of
    a DELETE a part may have been done."""

    status, slug, title = 504, "query-timeout", "The query takes too long"

    def __init__(self) -> None:
        super().__init__(
            "The database could not finish this in time. Ask for less, or have an index made that "
            "serves the filter and the order."
        )


class DatabaseUnavailable(StuffError):
    """The database is away, too slow, or does not let the service in. A write that was not
    acknowledged may or may not have been made; PUT and DELETE can be repeated."""

    status, slug, title = 503, "database-unavailable", "The database is not available"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": "1"})
