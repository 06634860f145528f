"""What a collection's documents have in common, found out from a sample of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from service.documents import codec
from service.documents.inference.describing import Doubt, describe
from service.documents.inference.ids import id_type
from service.documents.layout import METADATA_KEY

__all__ = ["Doubt", "Inferred", "infer"]

FEW = 20
"""With fewer documents it is a guess what others look like."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """What documents have in common."""

    schema: dict[str, Any] | None
    """Of their fields; None if they have none."""
    id: str
    """The type of their ids: `string`, `objectid`, `uuid` or `integer`."""
    has_metadata: bool
    """Whether any of them has `_stuff`: the service, or one like it, has written to the
    collection."""
    doubts: tuple[Doubt, ...]
    """What they leave open. A place that starts with `schema` is one in the schema."""


def infer(documents: Iterable[bytes]) -> Inferred:
    """What these documents (BSON) have in common. Their values are all in memory meanwhile, which
    takes up to fifteen times their bytes."""
    fields = [codec.decode(document) for document in documents]
    id, id_doubts = id_type([each.pop("_id", None) for each in fields])
    metadata = [each.pop(METADATA_KEY, None) for each in fields]
    schema, doubts = describe(fields)
    found = [Doubt(("id",), detail) for detail in id_doubts]
    if 0 < metadata.count(None) < len(metadata):
        found.append(Doubt(("metadata",), "Only some documents have `_stuff`."))
    if len(fields) < FEW:
        few = f"{len(fields)} document{'' if len(fields) == 1 else 's'}"
        found.append(Doubt(("schema", "required"), f"This is a guess, made of {few}."))
    found += [Doubt(("schema", *doubt.place), doubt.detail) for doubt in doubts]
    is_any = schema.keys() == {"type"}
    has_metadata = any(each is not None for each in metadata)
    return Inferred(None if is_any else schema, id, has_metadata, tuple(found))
