"""What a collection refuses to store: what its validator excludes, duplicates in unique indexes,
and what other indexes cannot have.

They hold for the document after each update. So updates that are made as one would pass values that
the database refuses.
https://www.mongodb.com/docs/manual/core/schema-validation/
https://www.mongodb.com/docs/manual/core/index-unique/
"""

import time
from collections.abc import Iterable

from pymongo.errors import PyMongoError

from service.mongo.access import ThreadCollection

UNIQUE = ("unique", "prepareUnique")
"""Options of indexes that refuse duplicates; one that is prepared to be unique refuses new ones.
https://www.mongodb.com/docs/manual/core/index-unique/convert-to-unique/
"""
SECONDS = 1.0
"""After which they are read again: other programs change them."""


class Constraints:
    """The constraints of one collection."""

    def __init__(self) -> None:
        self._paths: frozenset[str] | None = None
        self._valid_until = 0.0

    def concern(self, collection: ThreadCollection, paths: Iterable[str]) -> bool:
        """Whether the database may refuse one integer at these paths, but not another one. True if
        this cannot be found out. Call this in a thread."""
        now = time.monotonic()
        if now >= self._valid_until:
            self._paths = _constrained(collection)
            self._valid_until = now + SECONDS
        constrained = self._paths
        if constrained is None:
            return True
        return any(_overlap(path, other) for path in paths for other in constrained)


def _constrained(collection: ThreadCollection) -> frozenset[str] | None:
    """The paths of constrained values; None if any value may be."""
    try:
        if "validator" in collection.options():
            return None
        indexes = collection.index_information().values()
    except PyMongoError:
        return None
    if any("partialFilterExpression" in index for index in indexes):
        return None  # which documents it has may depend on any value
    return frozenset(
        path
        for index in indexes
        for path, _ in index["key"]
        # Indexes of places refuse what is outside of their bounds.
        if any(map(index.get, UNIQUE)) or any(isinstance(kind, str) for _, kind in index["key"])
    )


def _overlap(one: str, other: str) -> bool:
    """Whether a path is the other one, or leads to it."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")
