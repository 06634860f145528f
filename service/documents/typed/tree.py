"""The paths of a collection at which strings are stored as another BSON type."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from service.documents.codec import STEP
from service.documents.typed.kinds import Kind

MAX_FAULTS = 20
"""Strings that are no values of their type, of which the places are collected."""

Fault: TypeAlias = tuple[list[str | int], str]
"""A path, and what to send there."""


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

    def inside(self, container: Any) -> Iterator[tuple[Any, Any, "Node"]]:
        """The parts of an object or array of which something is known: key, value, node. They take
        no longer than the container is large."""
        members, others, items = self.members, self.others, self.items
        if type(container) is list:
            if items is not None:
                for index, value in enumerate(container):
                    yield index, value, items
        elif others is not None:
            for key, value in container.items():
                yield key, value, members.get(key, others)
        elif len(members) <= len(container):
            for key, node in members.items():
                if key in container:
                    yield key, container[key], node
        else:
            for key, value in container.items():
                if key in members:
                    yield key, value, members[key]


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
    pending: list[tuple[Any, Iterator[tuple[Any, Any, Node]]]]
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
