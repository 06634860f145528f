"""Scopes: what a key or a token allows, `read` or `write`, everywhere or in one collection.

`read` and `write` hold for all collections, and for what belongs to none; `read:books` holds for
the collection `books` only.
"""

import re
from collections.abc import Iterable

from service.security.decisions import SCOPES

_SCOPE = re.compile(rf"({'|'.join(SCOPES)})(:[a-z][a-z0-9_]{{0,62}})?")


def is_scope(text: str) -> bool:
    """Whether a key can have this scope. Whether there is the collection does not matter."""
    return _SCOPE.fullmatch(text) is not None


def scopes_in(granted: Iterable[str], collection: str | None) -> frozenset[str]:
    """Which of `read` and `write` a request has in this collection (None: outside of all)."""
    if collection is None:
        return frozenset(granted).intersection(SCOPES)
    of_collection = {scoped(scope, collection): scope for scope in SCOPES}
    return frozenset(of_collection.get(scope, scope) for scope in granted).intersection(SCOPES)


def scopes_anywhere(granted: Iterable[str]) -> frozenset[str]:
    """Which of `read` and `write` a request has in some collection."""
    return frozenset(scope.partition(":")[0] for scope in granted).intersection(SCOPES)


def scoped(scope: str, collection: str) -> str:
    """The scope, for this collection only."""
    return f"{scope}:{collection}"
