"""The types of a collection: all that depends on them."""

from collections.abc import Generator, Mapping
from typing import Any

from service.documents.typed import tree
from service.documents.typed.filters import typed_filter
from service.documents.typed.tree import Fault, Node
from service.documents.typed.updates import typed_update
from service.documents.work import finished


class Types:
    """At which paths of a collection strings are stored as another BSON type."""

    def __init__(self, root: Node) -> None:
        self._root = root

    def show(self, document: dict[str, Any]) -> Generator[None, None, None]:
        """Replace the values at typed paths by their canonical strings; what has none is left as it
        is. Yields where other work may be done."""
        return tree.show(self._root, document)

    def show_at_once(self, document: dict[str, Any]) -> None:
        """As `show`."""
        finished(self.show(document))

    def store(self, document: dict[str, Any]) -> Generator[None, None, list[Fault]]:
        """Replace the strings at typed paths by the values that they stand for, and return the
        faults: those that stand for none, some of them if there are many. Yields where other work
        may be done."""
        return tree.store(self._root, document)

    def filter(self, query: Mapping[str, Any]) -> dict[str, Any]:
        """The query of `parse_filter` with values of the types of its paths in place of strings.
        Raises `InvalidParameter`, with a JSON Pointer into the filter."""
        return typed_filter(self._root, query)

    def update(self, operators: dict[str, dict[str, Any]]) -> Generator[None, None, None]:
        """Replace the strings for typed paths in update operators, whose values to add are below
        `$each`. Yields where other work may be done. Raises `InvalidPatch`, and `InvalidParameter`
        for a condition."""
        return typed_update(self._root, operators)
