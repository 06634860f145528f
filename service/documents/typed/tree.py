"""The paths of a collection at which strings are stored as another BSON type."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from itertools import repeat
from typing import Any, TypeAlias

from service.documents.codec import STEP
from service.documents.typed.kinds import Kind

MAX_FAULTS = 20
"""Strings that are no values of their type, of which the places are collected."""

Fault: TypeAlias = tuple[list[str | int], str]
"""A path, and what to send there."""
_Part: TypeAlias = tuple[Any, Any, "Node"]
"""The key of a part, its value, and what is known of it."""


@dataclass(slots=True, eq=False)
class Node:
    """What is known of the values at one path: the type of strings, and what is inside. A node may
    be inside itself, as in a tree of comments."""

    kind: Kind | None = None
    members: dict[str, "Node"] = field(default_factory=dict)
    others: "Node | None" = None
    """Of members that are not among these."""
    items: "Node | None" = None
    """Of the elements of an array."""

    def inside(self, container: Any) -> Iterator[_Part]:
        """The parts of an object or array of which something is known. They take no longer than
        the container is large."""
        if type(container) is list:
            if self.items is None:
                return iter(())
            return zip(range(len(container)), container, repeat(self.items))
        members, others = self.members, self.others
        if others is not None:
            return ((key, value, members.get(key, others)) for key, value in container.items())
        if len(members) <= len(container):
            return iter([(k, container[k], node) for k, node in members.items() if k in container])
        return iter([(k, value, members[k]) for k, value in container.items() if k in members])


def show(root: Node, document: dict[str, Any]) -> Generator[None, None, None]:
    """Replace the values at typed paths by their canonical strings; what has none is left as it is.
    Yields where other work may be done."""
    yield from _changed(root, document, _shown)


def store(root: Node, document: dict[str, Any]) -> Generator[None, None, list[Fault]]:
    """Replace the strings at typed paths by the values that they stand for, and return the faults:
    those that stand for none, some of them if there are many. Yields where other work may be
    done."""
    return (yield from _changed(root, document, _stored))


def _shown(kind: Kind, value: Any) -> Any:
    text = None if type(value) is str else kind.write(value)
    return value if text is None else text


def _stored(kind: Kind, value: Any) -> Any:
    return kind.read(value) if type(value) is str else value


def _changed(
    root: Node, document: dict[str, Any], change: Callable[[Kind, Any], Any]
) -> Generator[None, None, list[Fault]]:
    """Change each value at a typed path that is neither an object nor an array. Where `change`
    raises `ValueError` is a fault."""
    faults: list[Fault] = []
    path: list[str | int] = []
    pending: list[tuple[Any, Iterator[_Part]]]
    pending = [(document, root.inside(document))]
    count = 0
    while pending:
        container, parts = pending[-1]
        for key, value, node in parts:
            count += 1
            if count % STEP == 0:
                yield
            if type(value) is dict or type(value) is list:
                if value:
                    path.append(key)
                    pending.append((value, node.inside(value)))
                    break
            elif node.kind is not None:
                try:
                    container[key] = change(node.kind, value)
                except ValueError:
                    if len(faults) < MAX_FAULTS:
                        faults.append(([*path, key], node.kind.expected))
        else:
            pending.pop()
            if path:
                path.pop()
    return faults
