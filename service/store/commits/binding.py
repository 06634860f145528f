"""Finds the collections of a commit's writes, and reads what is to be written there."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace

from service.documents.commits import Write, placed
from service.documents.ids import Id
from service.documents.parsing import parse
from service.documents.patches import JsonPatch, MergePatch
from service.documents.updates import Update
from service.errors import (
    DocumentTooLarge,
    InvalidCommit,
    InvalidDocument,
    InvalidId,
    InvalidPatch,
    StuffError,
    raises,
)
from service.store.commits.changes import Change
from service.store.commits.target import Target


@raises(InvalidCommit)
def target_of(write: Write, targets: Mapping[str, Target]) -> Target:
    """The collection of a write. Raises `InvalidCommit` if it cannot be written there."""
    target = targets.get(write.collection)
    if target is None:
        raise _fault(write, "collection", "There is no such collection.")
    if target.read_only:
        raise _fault(write, "collection", f"The collection {target.name!r} can only be read.")
    if write.op == "check" and not target.has_metadata:
        raise _fault(
            write,
            "op",
            f"The documents of {target.name!r} have no metadata, in which a check would be "
            "recorded. Use a write with a condition.",
        )
    return target


@raises(InvalidCommit, InvalidDocument, InvalidId, InvalidPatch, DocumentTooLarge)
def bind(
    writes: Sequence[Write], targets: Mapping[str, Target], *, limits_patterns: bool
) -> Generator[None, None, list[Change]]:
    """The writes as changes. Yields where other work may be done.

    `limits_patterns`: whether the database gives up matching a pattern after a number of steps.
    """
    first: dict[tuple[str, Id], int] = {}
    changes = []
    for write in writes:
        change = yield from _bound(write, target_of(write, targets), limits_patterns)
        other = first.setdefault((write.collection, change.id), write.index)
        if other != write.index:
            raise _fault(
                write, "id", f"The write {other} is about this document, too. Send one write."
            )
        changes.append(change)
        yield
    return changes


def _bound(write: Write, target: Target, limits_patterns: bool) -> Generator[None, None, Change]:
    id = _id(write, target)
    # What is read is not needed as text any more.
    change = Change(replace(write, content=b""), target, id)
    try:
        match write.op:
            case "put" | "create":
                own = None if write.id is None else id
                return replace(change, fields=parse(write.content, own))
            case "merge":
                return replace(change, patch=MergePatch(write.content))
            case "json_patch":
                return replace(change, patch=JsonPatch(write.content))
            case "update":
                update = Update(write.content)
                if target.types is not None:
                    yield from update.convert(target.types)
                if update.has_patterns and not limits_patterns:
                    update.check_steps()
                return replace(change, update=update)
            case _:
                return change
    except StuffError as error:
        raise placed(error, write.index, write.member) from None


def _id(write: Write, target: Target) -> Id:
    try:
        return target.ids.new() if write.id is None else target.ids.parse(write.id)
    except StuffError as error:
        member = None if write.id is None else "id"
        raise placed(error, write.index, member, inside=False) from None


def _fault(write: Write, member: str, detail: str) -> InvalidCommit:
    return InvalidCommit(detail, ["writes", write.index, member], write.index)
