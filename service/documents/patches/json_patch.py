"""JSON Patch (RFC 6902)."""

from typing import Any

import bson
from bson.errors import InvalidDocument as InvalidBSON
from jsonpatch import JsonPatch as LibraryPatch
from jsonpatch import JsonPatchException, JsonPatchTestFailed
from jsonpointer import JsonPointer, JsonPointerException

from service.documents import strict_json
from service.documents.json_faults import MAX_DEPTH
from service.documents.layout import MAX_DOCUMENT_BYTES
from service.errors import DocumentTooLarge, InvalidDocument, InvalidPatch, PatchTestFailed

MAX_OPERATIONS = 10_000
MAX_SHIFTED = 1024 * 1024 * 1024
"""Bytes that a patch may shift: inserting or removing an element moves those after it."""

ADDRESS_BYTES = 8  # of an element in a list of Python

MAX_MESSAGE = 200  # characters of the library's message, which may contain the document
_MEMBERS = {
    "add": ("path", "value"),
    "remove": ("path",),
    "replace": ("path", "value"),
    "move": ("path", "from"),
    "copy": ("path", "from"),
    "test": ("path", "value"),
}
_READING = {"copy", "move", "test"}


class JsonPatch:
    """A JSON Patch: operations in their order, all of them or none."""

    def __init__(self, body: bytes) -> None:
        patch = strict_json.loads(body)
        if not isinstance(patch, list):
            raise InvalidPatch("A JSON Patch is an array of operations.", [])
        if len(patch) > MAX_OPERATIONS:
            raise InvalidPatch(f"A patch has at most {MAX_OPERATIONS:,} operations. Split it.", [])
        for index, operation in enumerate(patch):
            _check_operation(operation, index)
        self._operations: list[dict[str, Any]] = patch
        self.reads = any(operation["op"] in _READING for operation in patch)

    def apply(self, values: dict[str, Any]) -> Any:
        """Raises `PatchTestFailed`, `InvalidPatch`, and `DocumentTooLarge` if it copies too
        much."""
        patched: Any = values
        copied = shifted = 0
        for index, operation in enumerate(self._operations):
            try:
                if operation["op"] == "copy":
                    copied += _size_of(patched, operation["from"])
                    if copied > MAX_DOCUMENT_BYTES:
                        raise DocumentTooLarge(
                            "The patch copies more than a document can hold. Copy less.",
                            MAX_DOCUMENT_BYTES,
                        )
                shifted += _shifted(operation, patched)
                if shifted > MAX_SHIFTED:
                    raise InvalidPatch(
                        "The patch inserts or removes too many elements of a long array. Split it, "
                        "or replace the array.",
                        [index],
                    )
                patched = LibraryPatch([operation]).apply(patched, in_place=True)
            except JsonPatchTestFailed:
                raise PatchTestFailed(
                    "The document does not have the value that is tested for. Read it again.",
                    [index],
                ) from None
            except (JsonPatchException, JsonPointerException) as error:
                reason = str(error)[:MAX_MESSAGE]
                raise InvalidPatch(f"The operation does not apply: {reason}.", [index]) from None
            except RecursionError:
                raise InvalidDocument(
                    "The patch nests the document too deep. Flatten it."
                ) from None
        return patched


def _shifted(operation: dict[str, Any], document: Any) -> int:
    """The bytes that the operation may shift: those of the arrays that it inserts into or removes
    from."""
    size = 0
    if operation["op"] not in ("test", "replace"):
        for member in _MEMBERS[operation["op"]]:
            pointer = operation[member] if member != "value" else ""
            parent, _, last = pointer.rpartition("/")
            if last.isdigit():
                array = JsonPointer(parent).resolve(document, None)
                size += ADDRESS_BYTES * len(array) if isinstance(array, list) else 0
    return size


def _check_operation(operation: Any, index: int) -> None:
    """Raise `InvalidPatch` at the place of the fault, before the document is read. The library
    checks less, later, and does not say where."""
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
        if pointer.count("/") > MAX_DEPTH:
            raise InvalidPatch(
                f"No document is nested more than {MAX_DEPTH} levels deep.", [index, member]
            )
        try:
            JsonPointer(pointer)
        except JsonPointerException:
            pass
        else:
            return
    raise InvalidPatch("Give a JSON Pointer (RFC 6901), such as /a/0.", [index, member])


def _size_of(document: Any, pointer: str) -> int:
    """The BSON bytes of the value, so that copies of copies cannot grow without bound.

    0 for the place after the end of an array, which is not a value: the copy fails.
    """
    try:
        return len(bson.encode({"": JsonPointer(pointer).resolve(document)}))
    except InvalidBSON:
        return 0
