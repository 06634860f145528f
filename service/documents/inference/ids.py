"""The type of the ids of documents."""

from typing import Any

from service.documents.ids import TEXT, TYPES, check_id
from service.documents.inference.kinds import kinds_of
from service.errors import InvalidId


def id_type(ids: list[Any]) -> tuple[str, list[str]]:
    """The name of the type that all ids have, else of text; and sentences about the ids that no
    path leads to."""
    for name, type in TYPES.items():
        if all(map(type.owns, ids)):
            return name, [*_unusable_texts(ids)] if type is TEXT else []
    said = ", ".join(f"{kind} {count:,}" for kind, count in kinds_of(ids).most_common())
    return TEXT.name, [f"Only ids that are strings have a path of their own. Found: {said}."]


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
