"""The type of the ids of documents."""

from typing import Any

from service.documents.ids import check_id
from service.documents.inference.kinds import kinds_of
from service.errors import InvalidId

TYPES = ("string", "objectid", "uuid", "integer")
"""Types by which a path can name a document."""
DEFAULT = "string"


def id_type(ids: list[Any]) -> tuple[str, list[str]]:
    """The type that all ids have, else `string`; and sentences about the ids that no path leads
    to."""
    kinds = kinds_of(ids)
    if len(kinds) == 1:
        [kind] = kinds
        if kind in TYPES:
            return kind, [*_unusable_texts(ids)] if kind == DEFAULT else []
    said = ", ".join(f"{kind} {count:,}" for kind, count in kinds.most_common())
    return DEFAULT, [f"Only ids that are strings have a path of their own. Found: {said}."]


def _unusable_texts(ids: list[str]) -> list[str]:
    unusable = sum(not _is_usable(id) for id in ids)
    if not unusable:
        return []
    return [f"{unusable:,} ids have no path of their own: they are empty, too long, or not text."]


def _is_usable(id: str) -> bool:
    try:
        check_id(id)
    except InvalidId:
        return False
    return True
