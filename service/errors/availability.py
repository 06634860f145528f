"""Errors of the service and its database: what they cannot do, or cannot do now."""

from typing import ClassVar

from service.errors.base import StuffError


class FeedGone(StuffError):
    """The database no longer remembers the event, the collection was dropped since, or a change
    since is too large for an event. Sent as the feed's event `gone`, since the response has
    started."""

    status, slug, title = 410, "feed-gone", "The feed cannot resume there"

    def __init__(self, reason: str = "The database no longer has the changes since then.") -> None:
        super().__init__(
            f"{reason} Read the documents again, and follow the feed without Last-Event-ID."
        )


class Unsupported(StuffError):
    """501: the database lacks what the request needs."""

    status = 501


class FeedUnsupported(Unsupported):
    """The database is a single server, which has no change streams."""

    slug, title = "feed-unsupported", "The database has no change streams"

    def __init__(self) -> None:
        super().__init__(
            "Change streams need a replica set or a sharded cluster; this database is neither. "
            "Make it a replica set (one node is enough), or poll the documents instead."
        )


class DatabaseUnsupported(Unsupported):
    """The database is not MongoDB, or is an old version, and lacks a command or a stage that the
    request needs. The detail names it."""

    slug, title = "database-unsupported", "The database cannot do this"


class Unavailable(StuffError):
    """503: the service cannot do this now. The client should try again after `retry_after`
    seconds."""

    status = 503
    retry_after: ClassVar[int] = 1

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": str(self.retry_after)})


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached, is too slow, or refuses access to the service. A write that
    was not acknowledged may or may not have been made; PUT and DELETE can be repeated."""

    slug, title = "database-unavailable", "The database is not available"


class WriteConflict(Unavailable):
    """Other clients changed the document each time between reading and writing it. Nothing was
    written."""

    slug, title = "write-conflict", "Too many clients write the document"

    def __init__(self) -> None:
        super().__init__(
            "Other clients changed the document each time before it could be written. Try again."
        )


class Overloaded(Unavailable):
    """The service has as many requests in flight as it accepts (STUFF_MAX_REQUESTS), keeps as many
    connections, none of them idle (STUFF_MAX_CONNECTIONS), or holds as many bytes of documents
    (STUFF_MAX_TOTAL_BODY_BYTES)."""

    slug, title = "overloaded", "Too many requests at once"

    def __init__(
        self,
        detail: str = "The server is at its limit of requests in flight. Try again shortly.",
    ) -> None:
        super().__init__(detail)


class FeedFull(Unavailable):
    """The feed has as many followers, or different filters, as the service allows
    (STUFF_MAX_SUBSCRIBERS)."""

    slug, title = "feed-full", "Too many followers of the feed"
    retry_after = 5


class TokenKeysUnavailable(Unavailable):
    """The keys for checking tokens cannot be fetched (STUFF_JWT_JWKS_URL)."""

    slug, title = "token-keys-unavailable", "Tokens cannot be checked now"
    retry_after = 5

    def __init__(self) -> None:
        super().__init__(
            "The keys for checking tokens could not be fetched from their issuer. Try again "
            "shortly."
        )


class QueryTimeout(StuffError):
    """The database did not finish the query within STUFF_QUERY_TIMEOUT. A DELETE may have deleted a
    part of the documents."""

    status, slug, title = 504, "query-timeout", "The query takes too long"

    def __init__(self) -> None:
        super().__init__(
            "The database could not finish this in time. Ask for less, or have an index created "
            "that serves the filter and the order."
        )
