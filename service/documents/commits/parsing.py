"""The writes in the body of a commit: their members, and which of these go together."""

from collections.abc import Generator, Mapping
from typing import Any

import orjson

from service.documents import strict_json
from service.documents.commits.write import (
    COMMON,
    CONDITIONS,
    CONTENTS,
    DEFAULT_COLLECTION,
    Write,
)
from service.documents.json_faults import MAX_DEPTH
from service.documents.preconditions import Preconditions, parse_preconditions
from service.errors import InvalidCommit, InvalidPrecondition

MAX_WRITES = 500
MAX_CONDITION = 16 * 1024
"""Characters of a condition: about as many as a header field may have."""
ENVELOPE = 3
"""Levels above a document: the commit, its list of writes, the write."""

Members = Mapping[str, Any]


def parse_commit(body: bytes) -> Generator[None, None, list[Write]]:
    """The writes, each with its content as JSON. Yields where other work may be done.

    Raises `MalformedJSON`, `InvalidDocument` for JSON that no document could have, and
    `InvalidCommit`, with a pointer.
    """
    commit = strict_json.loads(body, MAX_DEPTH + ENVELOPE)
    yield
    if not isinstance(commit, dict) or not isinstance(commit.get("writes"), list):
        raise InvalidCommit('Send an object with an array of writes: {"writes": [...]}.')
    for name in commit:
        if name != "writes":
            raise InvalidCommit(f"A commit has no member {name!r}. Leave it out.", [name])
    sent = commit["writes"]
    if not 0 < len(sent) <= MAX_WRITES:
        raise InvalidCommit(f"A commit has 1 to {MAX_WRITES} writes.", ["writes"])
    writes = []
    for index, members in enumerate(sent):
        writes.append(_write(members, index))
        sent[index] = None
        yield
    return writes


def _write(members: Any, index: int) -> Write:
    if not isinstance(members, dict):
        raise _fault("A write is an object.", index)
    op = members.get("op")
    if not isinstance(op, str) or op not in CONTENTS:
        raise _fault(f"The kinds of writes are {', '.join(CONTENTS)}.", index, "op")
    _check_members(op, members, index)
    content = CONTENTS[op]
    return Write(
        index,
        op,  # type: ignore[arg-type]  # it was checked
        members.get("collection", DEFAULT_COLLECTION),
        members.get("id"),
        b"" if content is None else orjson.dumps(members[content]),
        _preconditions(members, index),
    )


def _check_members(op: str, members: Members, index: int) -> None:
    content = CONTENTS[op]
    conditions = () if op == "create" else CONDITIONS
    for name, value in members.items():
        if name not in (*COMMON, content, *conditions):
            raise _fault(f"A write of the kind {op!r} has no {name!r}. Leave it out.", index, name)
        if name != content and not isinstance(value, str):
            raise _fault(f"{name!r} is a string.", index, name)
        if name == content and not isinstance(value, list if op == "json_patch" else dict):
            kind = "an array" if op == "json_patch" else "an object"
            raise _fault(f"{name!r} is {kind}.", index, name)
    if content is not None and content not in members:
        raise _fault(f"A write of the kind {op!r} needs {content!r}.", index)
    if "id" not in members and op != "create":
        raise _fault(f"A write of the kind {op!r} needs 'id'.", index)


def _preconditions(members: Members, index: int) -> Preconditions:
    """The conditions, as the header fields of the same names have them."""
    for name in CONDITIONS:
        if len(members.get(name, "")) > MAX_CONDITION:
            raise _fault(f"A condition has at most {MAX_CONDITION:,} characters.", index, name)
    headers = {name.replace("_", "-"): members[name] for name in CONDITIONS if name in members}
    try:
        preconditions = parse_preconditions(headers)
    except InvalidPrecondition as error:
        name = str(error.members["parameter"]).replace("-", "_")
        raise _fault(error.detail, index, name) from None
    unwanted = preconditions.if_none_match
    if members["op"] == "check" and unwanted is not None and unwanted.any:
        raise _fault(
            "A check cannot keep others from creating a document. Leave '*' out.",
            index,
            "if_none_match",
        )
    return preconditions


def _fault(detail: str, index: int, *path: str) -> InvalidCommit:
    return InvalidCommit(detail, ["writes", index, *path], index)
