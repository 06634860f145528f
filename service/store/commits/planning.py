"""What one change of a commit does to the document as it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from service.documents import patches
from service.documents.commits import placed
from service.documents.ids import canonical
from service.documents.layout import Stored
from service.errors import (
    DocumentNotFound,
    DocumentTooLarge,
    InvalidCommit,
    InvalidDocument,
    InvalidPatch,
    PatchTestFailed,
    PreconditionFailed,
    StuffError,
    raises,
)
from service.mongo import statements
from service.mongo.statements import Statement
from service.store.checking import Checks
from service.store.commits.changes import Change
from service.store.slices import Slices

MILLISECOND = timedelta(milliseconds=1)
DELETED_BEFORE = "It may have been deleted before."


@dataclass(frozen=True, slots=True)
class Plan:
    """What the database has to do for a change."""

    change: Change
    statement: Statement
    stored: Stored | None
    """The document as it is then; None if it is deleted. If operators change it, the one before."""
    created: bool = False
    """Whether the document is new. If it was not read, only the database knows."""


@raises(
    DocumentNotFound,
    PreconditionFailed,
    PatchTestFailed,
    InvalidPatch,
    InvalidDocument,
    InvalidCommit,
    DocumentTooLarge,
    Checks.check,
)
async def plan(change: Change, new: Stored | None, current: Stored | None, slices: Slices) -> Plan:
    """The plan for a change of the current document, None if there is none or if it was not read.

    `new` is the document to put or to create, which does not depend on the current one. The errors
    have the index of the write.
    """
    try:
        if new is not None:
            return _put(change, new, current)
        if current is None:
            raise _absence(change)
        change.write.preconditions.check(current)
        match change.write.op:
            case "delete":
                return Plan(change, statements.delete(change.id), None)
            case "check":
                return touched(change, current)
            case "update":
                return _updated(change, current)
            case _:
                return await _patched(change, current, slices)
    except InvalidCommit:
        raise
    except StuffError as error:
        inside = isinstance(error, InvalidPatch | PatchTestFailed)
        raise placed(error, change.index, _member_at_fault(change, error), inside=inside) from None


def _put(change: Change, new: Stored, current: Stored | None) -> Plan:
    if change.write.op == "create":
        if current is not None:
            raise PreconditionFailed(
                "The document exists already. Use put to replace it.", current.etag
            )
        return Plan(change, statements.replace(change.id, new.bson), new, created=True)
    change.write.preconditions.check(current)
    is_new = change.needs_current and current is None
    return _replaced(change, new, current, is_new=is_new)


async def _patched(change: Change, current: Stored, slices: Slices) -> Plan:
    patch = change.patch
    assert patch is not None
    target = change.target
    work = patches.apply(patch, current.bson, canonical(change.id), target.types)
    fields = await slices.run(work, patch.size + len(current.bson))
    if target.checks is not None:
        fields = await target.checks.check(fields)
    return _replaced(change, target.layout.changed(current.bson, fields), current)


def _updated(change: Change, current: Stored) -> Plan:
    assert change.update is not None
    operators = change.update.encoded(change.target.layout.mark())
    return Plan(change, statements.update(change.id, operators), current)


def _replaced(change: Change, new: Stored, current: Stored | None, *, is_new: bool = False) -> Plan:
    if current is not None and current.bson == new.bson:
        if change.target.has_metadata:
            return touched(change, current)
        raise unrecorded(change)
    return Plan(change, statements.replace(change.id, new.bson), new, is_new)


def touched(change: Change, current: Stored) -> Plan:
    """Record a new time of the last write, later than the one before: the database makes no write
    of a statement that changes nothing, and so finds no conflict with other transactions, which
    could then change what this one depends on."""
    now = datetime.now(UTC)
    if current.updated_at is not None:
        now = max(now, current.updated_at + MILLISECOND)
    return Plan(change, statements.touch(change.id, current.etag, now), current)


def unrecorded(change: Change) -> InvalidCommit:
    """What depends on a document, and neither changes it nor can be recorded in it."""
    return InvalidCommit(
        f"This changes nothing in {canonical(change.id)!r}, and the documents of "
        f"{change.target.name!r} have no metadata in which that would be recorded: another commit "
        "could change the document at the same time. Leave the write out.",
        ["writes", change.index, "id"],
        change.index,
    )


def _absence(change: Change) -> StuffError:
    id = canonical(change.id)
    match change.write.op:
        case "check":
            return InvalidCommit(
                f"There is no document {id!r}. A check needs one, in which it can be recorded.",
                ["writes", change.index, "id"],
                change.index,
            )
        case "delete":
            return DocumentNotFound(id, DELETED_BEFORE)
        case _:
            return DocumentNotFound(id, "Use put to create it.")


def _member_at_fault(change: Change, error: StuffError) -> str | None:
    """The member of the write that the error is about."""
    match error:
        case DocumentNotFound():
            return "id"
        case PreconditionFailed():
            preconditions = change.write.preconditions
            if preconditions.if_match is not None:
                return "if_match"
            return "id" if preconditions.if_none_match is None else "if_none_match"
        case _:
            return change.write.member
