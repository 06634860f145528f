"""JSON Patch (RFC 6902).

Ours, since a client may choose the operations, the document and the order: no operation costs more
than the bytes that it reads and writes, and other requests run between two of them. Libraries copy
and compare value by value, and put documents into messages.
"""

from collections.abc import Generator
from typing import Any

import bson
import orjson

from service.documents import codec, strict_json
from service.documents.json_faults import MAX_DEPTH
from service.documents.layout import MAX_DOCUMENT_BYTES
from service.documents.patches.equality import are_equal
from service.documents.patches.pointers import (
    NothingThereError,
    Steps,
    index_in,
    is_too_deep,
    parse_pointer,
    place,
    resolve,
)
from service.errors import DocumentTooLarge, InvalidDocument, InvalidPatch, PatchTestFailed

MAX_OPERATIONS = 10_000
MAX_SHIFTED = 1024 * 1024 * 1024
"""Bytes that a patch may shift: inserting or removing an element moves those after it."""

ADDRESS_BYTES = 8  # of an element in a list of Python

_MEMBERS = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "from"),
    "copy": ("path", "from"),
    "test": ("path", "value"),
}
_READING = {"test", "copy", "move"}


class JsonPatch:
    """A JSON Patch: operations in their order, all of them or none.

    Keeps its text and parses it again when it is applied: its values take many times as much
    memory, and become part of the document.
    """

    def __init__(self, body: bytes) -> None:
        patch = strict_json.loads(body)
        if not isinstance(patch, list):
            raise InvalidPatch("A JSON Patch is an array of operations.", [])
        if len(patch) > MAX_OPERATIONS:
            raise InvalidPatch(f"A patch has at most {MAX_OPERATIONS:,} operations. Split it.", [])
        for index, operation in enumerate(patch):
            _check_operation(operation, index)
        self.reads = any(operation["op"] in _READING for operation in patch)
        self._body = body
        self.size = len(body)

    def apply(self, values: dict[str, Any]) -> Generator[None, None, Any]:
        """Yields between operations. Raises `PatchTestFailed`, `InvalidPatch`, and
        `DocumentTooLarge` if it copies too much."""
        target = _Target(values)
        for index, operation in enumerate(strict_json.parse(self._body)):
            try:
                yield from target.apply(operation)
            except NothingThereError as error:
                if operation["op"] == "test":
                    raise _test_failed(index) from None
                raise InvalidPatch(f"The operation does not apply: {error}.", [index]) from None
            except _TestFailedError:
                raise _test_failed(index) from None
            except _TooMuchShiftedError:
                raise InvalidPatch(
                    "The patch inserts or removes too many elements of a long array. Split it, or "
                    "replace the array.",
                    [index],
                ) from None
            except (RecursionError, orjson.JSONEncodeError):
                raise InvalidDocument(
                    "The patch nests the document too deep. Flatten it."
                ) from None
            yield
        return target.root


class _TestFailedError(Exception):
    pass


class _TooMuchShiftedError(Exception):
    pass


class _Target:
    """The document that is patched, and what has been done to it."""

    def __init__(self, root: Any) -> None:
        self.root = root
        self._copied = 0  # bytes of BSON
        self._shifted = 0  # bytes

    def apply(self, operation: dict[str, Any]) -> Generator[None, None, None]:
        """Yields during large copies. Raises `NothingThereError`, `DocumentTooLarge`, and the
        errors above."""
        steps = _steps(operation["path"])
        match operation["op"]:
            case "add":
                self._add(steps, operation["value"])
            case "remove":
                self._remove(steps)
            case "replace":
                self._replace(steps, operation["value"])
            case "move":
                self._move(_steps(operation["from"]), steps)
            case "copy":
                value = resolve(self.root, _steps(operation["from"]))
                self._count_copy(value)
                self._add(steps, (yield from codec.copied(value)))
            case "test":
                if not are_equal(resolve(self.root, steps), operation["value"]):
                    raise _TestFailedError

    def _add(self, steps: Steps, value: Any) -> None:
        if not steps:
            self.root = value
            return
        container = resolve(self.root, steps[:-1])
        if isinstance(container, dict):
            container[steps[-1]] = value
            return
        index = index_in(container, steps[-1])
        if index > len(container):
            raise NothingThereError("an array has fewer elements")
        self._shift(container, index)
        container.insert(index, value)

    def _remove(self, steps: Steps) -> None:
        if not steps:
            raise NothingThereError("the whole document cannot be removed")
        container = resolve(self.root, steps[:-1])
        key = place(container, steps[-1])
        if isinstance(container, list):
            self._shift(container, key)
        del container[key]

    def _replace(self, steps: Steps, value: Any) -> None:
        if not steps:
            self.root = value
            return
        container = resolve(self.root, steps[:-1])
        container[place(container, steps[-1])] = value

    def _move(self, source: Steps, steps: Steps) -> None:
        value = resolve(self.root, source)
        if source == steps:
            return
        if steps[: len(source)] == source:
            raise NothingThereError("a value cannot be moved into itself")
        self._remove(source)
        self._add(steps, value)

    def _count_copy(self, value: Any) -> None:
        """What is copied is counted before, so that copies of copies cannot grow without bound."""
        self._copied += len(bson.encode({"": value}))
        if self._copied > MAX_DOCUMENT_BYTES:
            raise DocumentTooLarge(
                "The patch copies more than a document can hold. Copy less.", MAX_DOCUMENT_BYTES
            )

    def _shift(self, array: list[Any], index: int) -> None:
        self._shifted += ADDRESS_BYTES * (len(array) - index)
        if self._shifted > MAX_SHIFTED:
            raise _TooMuchShiftedError


def _steps(pointer: str) -> Steps:
    steps = parse_pointer(pointer)
    assert steps is not None  # it was checked
    return steps


def _check_operation(operation: Any, index: int) -> None:
    """Raise `InvalidPatch` at the place of the fault, before the document is read."""
    if not isinstance(operation, dict):
        raise InvalidPatch("An operation is an object.", [index])
    name = operation.get("op")
    if not isinstance(name, str) or name not in _MEMBERS:
        raise InvalidPatch(f"The operations are {', '.join(_MEMBERS)}.", [index, "op"])
    for member in _MEMBERS[name]:
        if member not in operation:
            raise InvalidPatch(f"The operation {name} needs {member!r}.", [index])
        if member != "value":
            _check_pointer(operation[member], index, member)


def _check_pointer(pointer: Any, index: int, member: str) -> None:
    if isinstance(pointer, str):
        if "\0" in pointer:
            raise InvalidPatch(
                "A key holds a NUL character. BSON cannot store it; rename it.", [index, member]
            )
        if is_too_deep(pointer):
            raise InvalidPatch(
                f"No document is nested more than {MAX_DEPTH} levels deep.", [index, member]
            )
        if parse_pointer(pointer) is not None:
            return
    raise InvalidPatch("Give a JSON Pointer (RFC 6901), such as /a/0.", [index, member])


def _test_failed(index: int) -> PatchTestFailed:
    return PatchTestFailed(
        "The document does not have the value that is tested for. Read it again.", [index]
    )
