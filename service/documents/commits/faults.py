"""Where in a commit an error belongs."""

from typing import TypeVar

from service.errors import AtPointer, StuffError, json_pointer

Error = TypeVar("Error", bound=StuffError)


def placed(error: Error, index: int, member: str | None = None, *, inside: bool = True) -> Error:
    """The error of a write as one of its commit: with the `index` of the write, and a JSON Pointer
    to the member of it that is at fault.

    A pointer that the error has already leads on from there, unless it is not `inside` what was
    sent, but in the document that a patch would make.
    """
    pointer = json_pointer(["writes", index, *([] if member is None else [member])])
    if isinstance(error, AtPointer) and inside:
        pointer += error.pointer
    error.members.pop("parameter", None)
    error.members |= {"index": index, "pointer": pointer}
    return error
