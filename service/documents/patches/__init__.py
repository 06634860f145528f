"""Patches of documents: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902).

A patch is parsed once and may be applied several times, each time to a fresh copy.
"""

from typing import Any, Protocol

from service.documents import codec, layout
from service.documents.json_faults import MAX_DEPTH
from service.documents.parsing import checked_object
from service.documents.patches.json_patch import JsonPatch
from service.documents.patches.merge_patch import MergePatch
from service.errors import InvalidDocument

__all__ = ["JsonPatch", "MergePatch", "Patch", "apply"]


class Patch(Protocol):
    @property
    def reads(self) -> bool:
        """Whether it uses values that are in the document, or tests them."""

    def apply(self, values: dict[str, Any]) -> Any:
        """The patched value; `values` may be changed on the way."""


def apply(patch: Patch, document: bytes, id: str) -> bytes:
    """The fields (BSON) of the stored document when it is patched.

    Values that the patch leaves alone keep their BSON type. Raises what the patch raises, and
    `InvalidDocument` if the result is not a document, or has another `_id`, or a `_stuff`.
    """
    value = checked_object(patch.apply(codec.to_values(document)))
    if value.pop("_id", None) != id:
        raise InvalidDocument("The _id of a document cannot be changed.", ["_id"])
    if layout.METADATA_KEY in value:
        raise InvalidDocument(
            "_stuff is reserved for the service's metadata and cannot be set.", ["_stuff"]
        )
    return layout.encode_fields(_storable(value, []))


def _storable(value: Any, path: list[str | int]) -> Any:
    """The patched value with its BSON types restored. Nesting and keys are checked here again,
    since a patch can move and copy values."""
    if isinstance(value, codec.Foreign):
        value = value.restored()
    if not isinstance(value, dict | list):
        return value
    if len(path) >= MAX_DEPTH:
        raise InvalidDocument(
            f"Nested more than {MAX_DEPTH} levels deep. Flatten the document.", path
        )
    if isinstance(value, list):
        return [_storable(child, [*path, index]) for index, child in enumerate(value)]
    for key in value:
        if "\0" in key:
            raise InvalidDocument(
                "A key holds a NUL character. BSON cannot store it; rename it.", [*path, key]
            )
    return {key: _storable(child, [*path, key]) for key, child in value.items()}
