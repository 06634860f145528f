"""The database's errors about update operators, as ours."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import bson
from bson import Decimal128
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
        if error.code == INTERNAL_ERROR:
            fault = unexplained_fault(update, await _current(database, id))
            if fault is not None:
                raise fault from error
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


def unexplained_fault(update: Update, document: bytes) -> StuffError | None:
    """What an internal error of the embedded engine means, which does not say that the document
    (BSON) would become too large, or that a result is no decimal number."""
    if update.may_overfill(document):
        return too_large()
    if document and update.calculates and _has_decimal(bson.decode(document)):
        return InvalidPatch(
            "The operators do not fit the document. The database cannot calculate the result."
        )
    return None


def _has_decimal(value: Any) -> bool:
    match value:
        case dict():
            return any(map(_has_decimal, value.values()))
        case list():
            return any(map(_has_decimal, value))
        case _:
            return isinstance(value, Decimal128)


def too_large() -> DocumentTooLarge:
    return DocumentTooLarge(
        f"With this patch the document has more than {MAX_DOCUMENT_BYTES:,} bytes as BSON. "
        "Split it.",
        MAX_DOCUMENT_BYTES,
    )


async def _current(database: CollectionAccess, id: Id) -> bytes:
    """The document (BSON), empty if there is none."""
    with database.limits.reads():
        found = await database.points.run(lambda: database.collection.find_one({"_id": id}))
    return b"" if found is None else bytes(found.raw)


def _said(error: OperationFailure) -> str:
    """The message, without what it quotes of the document."""
    message = str((error.details or {}).get("errmsg", error))
    return _QUOTATION.sub("{...}", _PREFIX.sub("", message)).rstrip(".")
