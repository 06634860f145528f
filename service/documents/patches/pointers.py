"""JSON Pointers (RFC 6901) into the values of a document."""

import re
from typing import Any

from service.documents import codec
from service.documents.json_faults import MAX_DEPTH

_INDEX = re.compile("0|[1-9][0-9]{0,9}")
_MALFORMED = re.compile("~(?![01])")

Steps = tuple[str, ...]
"""The parts of a pointer, unescaped; none for the whole document."""


class NothingThereError(Exception):
    """A pointer leads to nothing; the text says why, in a few words."""


def parse_pointer(pointer: str) -> Steps | None:
    """The steps of the pointer; None if it is malformed."""
    if pointer == "":
        return ()
    if pointer[0] != "/":
        return None
    steps = pointer.split("/")
    if "~" in pointer:
        if _MALFORMED.search(pointer):
            return None
        steps = [step.replace("~1", "/").replace("~0", "~") for step in steps]
    return tuple(steps[1:])


def is_too_deep(pointer: str) -> bool:
    return pointer.count("/") > MAX_DEPTH


def resolve(root: Any, steps: Steps) -> Any:
    """The value there. Raises `NothingThereError`.

    A value of a BSON type that JSON lacks is replaced, where it is, by its Extended JSON: see
    `codec.Foreign`.
    """
    value = root
    for step in steps:
        container, key = value, place(value, step)
        value = container[key]
        if codec.is_foreign(value):
            value = container[key] = codec.Foreign(value)
    return value


def place(container: Any, step: str) -> Any:
    """The key of an object, or the index of an array, that a step leads to. Raises
    `NothingThereError` if nothing is there."""
    if isinstance(container, dict):
        if step in container:
            return step
        raise NothingThereError("an object has no such member")
    index = index_in(container, step)
    if index >= len(container):
        raise NothingThereError("an array has fewer elements")
    return index


def index_in(container: Any, step: str) -> int:
    """The index that a step gives in an array; its length for `-`. Raises `NothingThereError`."""
    if not isinstance(container, list):
        raise NothingThereError("a value on the way is neither an object nor an array")
    if step == "-":
        return len(container)
    if not _INDEX.fullmatch(step):
        raise NothingThereError("an array has no members, but elements: 0, 1, 2")
    return int(step)
