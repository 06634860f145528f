"""The driver's errors as ours."""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeAlias

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    CursorNotFound,
    DuplicateKeyError,
    ExecutionTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
    WriteConcernError,
    WriteError,
)

from service.errors import (
    DatabaseUnavailable,
    DatabaseUnsupported,
    DocumentRejected,
    DuplicateKey,
    InvalidParameter,
    StuffError,
    Unavailable,
)

log = logging.getLogger(__name__)

DriverError: TypeAlias = PyMongoError
"""Any error of the driver."""

# The codes: https://www.mongodb.com/docs/manual/reference/error-codes/
TIME_LIMIT, DUPLICATE_KEY = 50, 11000
NO_ACCESS = {13, 18}
"""Unauthorized, AuthenticationFailed."""

BAD_QUERIES = {2, 9, 14, 72, 292, 51091, 51108, 51156}
"""BadValue, FailedToParse, TypeMismatch, InvalidOptions, QueryExceededMemoryLimitNoDiskUseAllowed,
a pattern that is malformed or takes too many steps: the database refuses the query."""

REFUSED_DOCUMENTS = {
    121,  # DocumentValidationFailure
    15, 22, 10334, 17419, 17420,  # nested too deep, no BSON, larger than the database takes
    52, 56, 57,  # names of fields that the database does not take
    171, 16766, 17280,  # CannotIndexParallelArrays, arrays in a hashed index, KeyTooLong
    16755, 17261, 17262,  # no GeoJSON where a geospatial index is, no language for a text index
    54, 61, 66,  # no value, or another one, for the shard key
    10003,  # larger than the document that it replaces in a capped collection
}  # fmt: skip
"""The database cannot store the document because of its content."""

LACKING = {59, 115, 238, 303, 304, 40324, 40415, 40573}
"""The engine lacks a command, a stage or a field of a command. The codes of MongoDB, DocumentDB and
FerretDB: CommandNotFound, CommandNotSupported, NotImplemented, unrecognized names."""

SHARD_KEY_NOT_FOUND = 61
"""Of mongos: the query of an upsert or of `findAndModify` lacks the shard key, which MongoDB needs
before 8.0. Of a shard: the document lacks it.
https://www.mongodb.com/docs/manual/reference/method/db.collection.replaceOne/#sharded-collections
"""
BY_QUERY = ("upsert", "findAndModify")

UNANSWERED = {6, 89, 202, 384, 9001}
"""HostUnreachable, NetworkTimeout, NetworkInterfaceExceededTimeLimit, ConnectionError,
SocketException: mongos did not get the answer of a shard, which may still carry out the write."""

TRANSIENT = {
    *UNANSWERED, 7,  # HostNotFound
    91, 189, 10058, 10107, 11600, 11602, 13435, 13436,  # shutdown, stepdown, no primary (yet)
    24, 46, TIME_LIMIT, 112, 262, 11601,  # locks, time limits, conflicts, Interrupted
    63, 150, 249, 13388,  # stale versions of shards
    43, 133, 134, 237, 251, 365, 462,  # lost cursors and transactions, no majority, too much load
    8000, 14031,  # AtlasError, OutOfDiskSpace
}  # fmt: skip
"""Transient errors: the same operation may succeed a moment later."""

TRANSIENT_LABELS = (
    "RetryableWriteError",
    "TransientTransactionError",
    "UnknownTransactionCommitResult",
    "RetryableError",
)


# "... index: name_1 dup key: ...", and DocumentDB: "... requested collection: Index 'name_1'"
_INDEX = re.compile(r"\bindex:? '?([^' ]+)", re.IGNORECASE)


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise the driver's errors as ours."""
    try:
        yield
    except PyMongoError as error:
        raise translated(error) from error


def translated(error: PyMongoError) -> StuffError:
    """The driver's error as ours; an unknown one is a fault of the service."""
    if isinstance(error, BulkWriteError):
        return translated(next(iter(bulk_faults(error, 1).values())))
    said = (error.details or {}).get("errmsg", error) if isinstance(error, OperationFailure) else ""
    code = getattr(error, "code", None)
    if isinstance(error, WriteConcernError):
        return _unavailable(
            "The write was not acknowledged by a majority; it may or may not last. Try again.",
            error,
        )
    if is_transient(error):
        return _unavailable("The database is unavailable or too slow. Try again.", error)
    if code in NO_ACCESS:
        return _unavailable(
            "The database refuses access to this service. Tell its operator.", error
        )
    if isinstance(error, DuplicateKeyError):
        return DuplicateKey(_keys(error))
    if code == SHARD_KEY_NOT_FOUND and any(name in str(said) for name in BY_QUERY):
        return DatabaseUnsupported(
            "The collection is sharded by another key than _id, so that this version of MongoDB "
            "cannot create, replace or update a document by its id alone. Create it with "
            "If-None-Match: *, replace it with If-Match, or send a merge patch."
        )
    if code in REFUSED_DOCUMENTS or is_about_bson(error):
        return DocumentRejected(
            f"MongoDB says: {said} (code {code}). Change the document accordingly."
        )
    if code in LACKING:
        log.error("The database does not support this: %s", described(error))
        return DatabaseUnsupported(
            f"The database does not support what this needs. It says: {said} (code {code})."
        )
    log.error("Unexpected error of the database: %s", described(error))
    return StuffError(
        f"The database failed unexpectedly (code {code}). Try again, or tell the operator."
    )


def is_transient(error: PyMongoError) -> bool:
    """Whether the same operation may succeed a moment later."""
    if isinstance(error, ConnectionFailure | CursorNotFound | ExecutionTimeout):
        return True
    is_coded = isinstance(error, OperationFailure) and error.code in TRANSIENT
    return is_coded or any(map(error.has_error_label, TRANSIENT_LABELS))


def is_refused(error: Exception) -> bool:
    """Whether the database has refused a write, and so has not done it; `error` is the driver's."""
    if not isinstance(error, OperationFailure) or isinstance(error, WriteConcernError):
        return False
    return not is_transient(error)


def is_refusal(error: Exception) -> bool:
    """Whether the database refused a command, and may accept another one; `error` is ours."""
    return isinstance(error.__cause__, OperationFailure) and not isinstance(error, Unavailable)


def is_absence(error: Exception) -> bool:
    """Whether no server was found in time; `error` is ours."""
    return isinstance(error.__cause__, ServerSelectionTimeoutError)


def check_reply(reply: Mapping[str, Any]) -> None:
    """Raise the first error in the reply to a write command, as the driver's own methods do."""
    for fault in reply.get("writeErrors", []):
        raise WriteError(fault["errmsg"], fault["code"], fault)
    if fault := reply.get("writeConcernError"):
        raise WriteConcernError(fault.get("errmsg", ""), fault.get("code"), fault)


def bulk_faults(error: BulkWriteError, count: int) -> dict[int, WriteError | WriteConcernError]:
    """The errors of the `count` operations of a bulk, by their indices."""
    found: dict[int, WriteError | WriteConcernError] = {}
    for fault in error.details["writeConcernErrors"][:1]:
        concern = WriteConcernError(fault.get("errmsg", ""), fault.get("code"), fault)
        found.update(dict.fromkeys(range(count), concern))
    for entry in error.details["writeErrors"]:
        # Without the document, which the driver adds: the error's text would hold all of it.
        fault = {name: value for name, value in entry.items() if name != "op"}
        kind = DuplicateKeyError if fault["code"] == DUPLICATE_KEY else WriteError
        found[fault["index"]] = kind(fault["errmsg"], fault["code"], fault)
    return found


def is_about_id(error: PyMongoError) -> bool:
    """Whether a write failed because another one has just created the document."""
    return isinstance(error, DuplicateKeyError) and _keys(error) == ["_id"]


def is_about_bson(error: PyMongoError) -> bool:
    """Whether a command was refused because of a value in one of its documents, such as a date
    beyond the year 9999. MongoDB does not do this, SecantusDB does."""
    return isinstance(error, OperationFailure) and error.code == 2 and "invalid BSON" in str(error)


def may_still_land(error: BaseException, driver_retries: bool) -> bool:
    """Whether a write that ended with this error may still take effect, since it was not answered.

    If the driver sends a write again, a transient error may be the answer to the second attempt
    only. A success or a refusal holds for both: they have the same transaction number.
    https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
    """
    if isinstance(error, StuffError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, BulkWriteError):
        faults = bulk_faults(error, 1).values()
        return any(may_still_land(fault, driver_retries) for fault in faults)
    if isinstance(error, ServerSelectionTimeoutError):
        return False  # not sent; if it is sent again, the driver raises the first error
    if isinstance(error, WriteConcernError):
        return False
    if isinstance(error, NotPrimaryError):
        return driver_retries
    if isinstance(error, OperationFailure) and error.code != TIME_LIMIT:
        return error.code in UNANSWERED or (driver_retries and is_transient(error))
    return isinstance(error, ConnectionFailure | ExecutionTimeout)


def _keys(error: DuplicateKeyError) -> list[str]:
    """The fields of the index; none if the database names only an index that is not about `_id`."""
    details = error.details or {}
    if pattern := details.get("keyPattern"):
        return list(pattern)
    found = _INDEX.search(details.get("errmsg", ""))
    return ["_id"] if found is None or found[1] == "_id_" else []


def bad_query(error: OperationFailure) -> InvalidParameter:
    """The error for a client's query that the database refuses."""
    return InvalidParameter(
        "filter", f"The database refuses this: {(error.details or {}).get('errmsg', error)}."
    )


def _unavailable(detail: str, error: PyMongoError) -> DatabaseUnavailable:
    log.warning("The database is unavailable: %s", described(error))
    return DatabaseUnavailable(detail)


def described(error: BaseException) -> str:
    """The error for the log. The database's own messages quote filters and documents, and may quote
    the whole command, so that they are left out."""
    if not isinstance(error, OperationFailure):
        return str(error)
    name = (error.details or {}).get("codeName", "")
    return " ".join(filter(None, [type(error).__name__, name, f"(code {error.code})"]))
