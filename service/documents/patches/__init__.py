"""Patches of documents: JSON Merge Patch (RFC 7396) and JSON Patch (RFC 6902).

A patch is checked once and may be applied several times, each time to a fresh copy.
"""

from collections.abc import Generator
from typing import Any, Protocol

import orjson

from service.documents import codec, json_faults, layout
from service.documents.json_faults import MAX_DEPTH
from service.documents.parsing import checked_object
from service.documents.patches.json_patch import JsonPatch
from service.documents.patches.merge_patch import MergePatch
from service.documents.typed import Types
from service.errors import InvalidDocument

__all__ = ["JsonPatch", "MergePatch", "Patch", "apply"]


class Patch(Protocol):
    @property
    def reads(self) -> bool:
        """Whether it uses values that are in the document, or tests them."""

    @property
    def size(self) -> int:
        """The bytes of its text."""

    def apply(self, values: dict[str, Any]) -> Generator[None, None, Any]:
        """Yields where other work may be done, and returns the patched value; `values` may be
        changed on the way."""


def apply(
    patch: Patch, document: bytes, id: str, types: Types | None = None
) -> Generator[None, None, bytes]:
    """Yields where other work may be done, and returns the fields (BSON) of the stored document
    when it is patched. The patch sees the `_id` as this canonical string.

    The patch sees and leaves the canonical strings of typed paths. Other values that it leaves
    alone keep their BSON type. Raises what the patch raises, and
    `InvalidDocument` if the result is not a document, or has another `_id`, or a `_stuff`.
    """
    values = yield from codec.decoded(document)
    values.pop(layout.METADATA_KEY, None)
    values["_id"] = id
    yield
    if types is not None:
        yield from types.show(values)
    value = checked_object((yield from patch.apply(values)))
    if value.pop("_id", None) != id:
        raise InvalidDocument("The _id of a document cannot be changed.", ["_id"])
    if layout.METADATA_KEY in value:
        raise InvalidDocument(
            "_stuff is reserved for the service's metadata and cannot be set.", ["_stuff"]
        )
    yield
    try:
        outline, has_foreign = codec.outline(value)
        if has_foreign:
            yield
            value = yield from codec.restored(value)
            yield
            outline, _ = codec.outline(value)
    except (RecursionError, orjson.JSONEncodeError):
        raise InvalidDocument("The patch nests the document too deep. Flatten it.") from None
    # A patch can move and copy values into others.
    if outline.count(b"[") + outline.count(b"{") > MAX_DEPTH:
        json_faults.refuse_first(outline, None, None, json_faults.find_deep_nesting(outline))
    yield
    return layout.encode_fields(value)
