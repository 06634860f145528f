"""The database's errors about update operators, as ours."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from pymongo.errors import OperationFailure

from service.documents.ids import Id
from service.documents.layout import MAX_DOCUMENT_BYTES
from service.documents.updates import Update
from service.errors import DocumentTooLarge, InvalidPatch, StuffError
from service.mongo.access import CollectionAccess
from service.mongo.faults import BAD_QUERIES, is_transient

# The codes: https://www.mongodb.com/docs/manual/reference/error-codes/
NOT_APPLICABLE = BAD_QUERIES | {28, 40}
"""An operator does not fit what the document has, such as a text where a number is added, or an
integer overflows: BadValue, TypeMismatch, PathNotViable, ConflictingUpdateOperators and others."""
TOO_LARGE = {10334, 17419, 17420}
INTERNAL_ERROR = 1

_QUOTATION = re.compile(r"\{.*\}", re.DOTALL)
_PREFIX = re.compile(r".*:: caused by :: ", re.DOTALL)


@asynccontextmanager
async def operator_faults(
    database: CollectionAccess, id: Id, update: Update
) -> AsyncIterator[None]:
    """Raise `InvalidPatch` if the operators do not fit the document, and `DocumentTooLarge` if it
    would become too large."""
    try:
        yield
    except OperationFailure as error:
        # The embedded engine answers so, if the document is too large.
        if error.code == INTERNAL_ERROR and await _may_overfill(database, id, update):
            raise too_large() from error
        if (fault := operator_fault(error)) is not None:
            raise fault from error
        raise


def operator_fault(error: OperationFailure) -> StuffError | None:
    """The error about operators, if it is one, as ours."""
    if error.code in TOO_LARGE:
        return too_large()
    if error.code in NOT_APPLICABLE and not is_transient(error):
        return InvalidPatch(
            f"The operators do not fit the document. The database says: {_said(error)}."
        )
    return None


def too_large() -> DocumentTooLarge:
    return DocumentTooLarge(
        f"With this patch the document has more than {MAX_DOCUMENT_BYTES:,} bytes as BSON. "
        "Split it.",
        MAX_DOCUMENT_BYTES,
    )


async def _may_overfill(database: CollectionAccess, id: Id, update: Update) -> bool:
    with database.limits.reads():
        found = await database.points.run(lambda: database.collection.find_one({"_id": id}))
    return update.may_overfill(b"" if found is None else bytes(found.raw))


def _said(error: OperationFailure) -> str:
    """The message, without what it quotes of the document."""
    message = str((error.details or {}).get("errmsg", error))
    return _QUOTATION.sub("{...}", _PREFIX.sub("", message)).rstrip(".")
