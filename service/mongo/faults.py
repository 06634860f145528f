"""The driver's errors as ours."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

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
    DocumentRejected,
    DuplicateKey,
    InvalidParameter,
    StuffError,
)

log = logging.getLogger(__name__)

# https://www.mongodb.com/docs/manual/reference/error-codes/
UNAUTHORIZED, AUTHENTICATION_FAILED, DUPLICATE_KEY = 13, 18, 11000
# BadValue, FailedToParse, TypeMismatch, InvalidOptions, QueryExceededMemoryLimitNoDiskUseAllowed, a
# pattern that is none or takes too many steps: with these the database refuses what a query says.
BAD_QUERIES = {2, 9, 14, 72, 292, 51091, 51108, 51156}


@contextmanager
def translated_errors() -> Iterator[None]:
    """Raise the driver's errors as ours; what is left is a fault of the service."""
    try:
        yield
    except PyMongoError as error:
        ours = translated(error)
        if ours is error:
            raise
        raise ours from error


def translated(error: PyMongoError) -> StuffError | PyMongoError:
    """The driver's error as ours; the very same if it is a fault of the service."""
    match error:
        case BulkWriteError():
            return translated(next(iter(bulk_faults(error, 1).values())))
        case ConnectionFailure() | CursorNotFound() | ExecutionTimeout():
            return _unavailable("The database is away or too slow. Try again.", error)
        case WriteConcernError():
            return _unavailable(
                "The write was not acknowledged by a majority; it may or may not stand. Try again.",
                error,
            )
        case DuplicateKeyError():
            return DuplicateKey(_keys(error))
        case WriteError():
            return DocumentRejected(
                f"MongoDB says: {(error.details or {}).get('errmsg', 'no reason given')}"
                f" (code {error.code}). Change the document accordingly."
            )
        case OperationFailure(code=code) if code in (UNAUTHORIZED, AUTHENTICATION_FAILED):
            return _unavailable(
                "The database does not let this service in. Tell its operator.", error
            )
        case _:
            return error


def bulk_faults(error: BulkWriteError, count: int) -> dict[int, WriteError | WriteConcernError]:
    """What went wrong with each of the `count` operations of a bulk, by its index."""
    found: dict[int, WriteError | WriteConcernError] = {}
    for fault in error.details["writeConcernErrors"][:1]:
        concern = WriteConcernError(fault.get("errmsg", ""), fault.get("code"), fault)
        found.update(dict.fromkeys(range(count), concern))
    for fault in error.details["writeErrors"]:
        kind = DuplicateKeyError if fault["code"] == DUPLICATE_KEY else WriteError
        found[fault["index"]] = kind(fault["errmsg"], fault["code"], fault)
    return found


def is_about_id(error: PyMongoError) -> bool:
    """Whether a write failed because another one had just created the document."""
    return isinstance(error, DuplicateKeyError) and _keys(error) == ["_id"]


def may_still_land(error: BaseException, driver_retries: bool) -> bool:
    """Whether a write that ended with this error may take effect later: it was not answered.

    Where the driver sends a write again, an answer that says "not now" is perhaps the answer to the
    second attempt only. A success or a refusal holds for both: they have one transaction number.
    https://github.com/mongodb/specifications/blob/master/source/retryable-writes/retryable-writes.md
    """
    if isinstance(error, StuffError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, ServerSelectionTimeoutError):
        return False  # not sent; if it is sent again, the driver raises the first error
    if isinstance(error, NotPrimaryError):
        return driver_retries
    return isinstance(error, ConnectionFailure | ExecutionTimeout)


def _keys(error: DuplicateKeyError) -> list[str]:
    return list((error.details or {}).get("keyPattern", {"_id": 1}))


def bad_query(error: OperationFailure) -> InvalidParameter:
    """The database refuses what a client has made up."""
    return InvalidParameter(
        "filter", f"The database refuses this: {(error.details or {}).get('errmsg', error)}."
    )


def _unavailable(detail: str, error: PyMongoError) -> DatabaseUnavailable:
    log.warning("%s", error)
    return DatabaseUnavailable(detail)
