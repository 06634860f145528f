"""Why the database cannot be used: sentences for operators, without secrets and without the names
of servers, since `/readyz` is public."""

import random
import re
from collections.abc import Iterable, Iterator

from pymongo.errors import ConfigurationError as DriverConfigurationError
from pymongo.errors import OperationFailure, PyMongoError, ServerSelectionTimeoutError
from pymongo.server_description import ServerDescription

from service.errors import ConfigurationError

FIRST_DELAY, MAX_DELAY = 1.0, 30.0  # seconds between attempts, doubled from one to the next
UNAUTHORIZED, AUTHENTICATION_FAILED, ATLAS_ERROR = 13, 18, 8000

UNRESOLVED = "The name of its server cannot be resolved."
CAUSES = (
    (r"Connection refused", "The connection is refused."),
    (r"Name or service|nodename nor servname|name resolution|No address", UNRESOLVED),
    (r"CERTIFICATE_VERIFY_FAILED", "Its TLS certificate is not trusted."),
    (r"SSL|TLS|tls", "There is no TLS connection to it."),
    (r"No route|unreachable", "There is no route to its server."),
    (r"timed out", "It does not answer in time."),
    (r"closed|reset|[Bb]roken pipe", "It closes the connection. Perhaps it expects TLS."),
)


def cause(error: BaseException | None, servers: Iterable[ServerDescription]) -> str:
    """Why the database cannot be used, by the error, or by what the driver knows of its servers."""
    if isinstance(error, OperationFailure):
        name = (error.details or {}).get("codeName", "")
        return f"The database refuses to be used (code {error.code} {name}".rstrip() + ")."
    if _is_unresolved(error):
        return f"The database cannot be reached. {UNRESOLVED}"
    servers = list(servers)
    texts = [str(server.error) for server in servers if server.error]
    if not isinstance(error, ServerSelectionTimeoutError | None):
        texts.insert(0, str(error))
    for pattern, sentence in CAUSES:
        if any(re.search(pattern, text) for text in texts):
            return f"The database cannot be reached. {sentence}"
    if isinstance(error, ServerSelectionTimeoutError):
        if not servers:
            return "No server is in the replica set that STUFF_MONGODB_URI names."
        if all(server.is_server_type_known for server in servers):
            return "The database has no primary now."
    return "The database does not answer in time."


def as_fault(error: PyMongoError, database: str) -> ConfigurationError | None:
    """The setting that is wrong, if the database or the driver says so."""
    code = error.code if isinstance(error, OperationFailure) else None
    if code == AUTHENTICATION_FAILED or (code == ATLAS_ERROR and "auth" in str(error)):
        return ConfigurationError(
            "mongodb_uri",
            "The database refuses the user name or the password. If the user belongs to another "
            "database, name that with authSource.",
        )
    if code == UNAUTHORIZED:
        return ConfigurationError(
            "mongodb_uri",
            f"The user may not read the database {database!r}. It needs the role readWrite there.",
        )
    if isinstance(error, DriverConfigurationError) and not _is_unresolved(error):
        return ConfigurationError("mongodb_uri", "The driver cannot connect as the URI says.")
    return None


def delays() -> Iterator[float]:
    """Seconds between attempts, without end: exponential backoff with jitter."""
    ceiling = FIRST_DELAY
    while True:
        yield random.uniform(ceiling / 2, ceiling)  # noqa: S311 (no secret)
        ceiling = min(ceiling * 2, MAX_DELAY)


def _is_unresolved(error: BaseException | None) -> bool:
    """Whether the servers of a mongodb+srv:// URI could not be looked up."""
    return type(getattr(error, "__cause__", None)).__module__.startswith("dns.")
