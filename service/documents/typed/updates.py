"""Update operators with the strings of typed paths: the database gets the values that are stored
there."""

from collections.abc import Generator
from typing import Any

from service.documents.typed.filters import Nodes, items_of, members_of, typed_condition
from service.documents.typed.tree import Node, store
from service.errors import InvalidPatch

_OF_FIELDS = ("$set", "$min", "$max")
_OF_ELEMENTS = ("$push", "$addToSet")


def typed_update(root: Node, operators: dict[str, dict[str, Any]]) -> Generator[None, None, None]:
    """Replace the strings for typed paths in the operators, whose values to add are below `$each`.
    Yields where other work may be done. Raises `InvalidPatch`, and `InvalidParameter` for a
    condition."""
    for name, operands in operators.items():
        for path, operand in operands.items():
            nodes = _at(root, path)
            if name in _OF_FIELDS:
                yield from _stored(operands, path, nodes, [name])
            elif name in _OF_ELEMENTS:
                items = [Node(items=each) for each in items_of(nodes)]
                yield from _stored(operand, "$each", items, [name, path])
            elif name == "$pull":
                operands[path] = typed_condition(items_of(nodes), operand, [name, path])


def _stored(
    container: dict[str, Any], key: str, nodes: Nodes, place: list[str | int]
) -> Generator[None, None, None]:
    """Replace the strings in a member of an object, of which this is known."""
    for node in nodes:
        for path, detail in (yield from store(Node(members={key: node}), container)):
            raise InvalidPatch(detail, [*place, *path])


def _at(root: Node, path: str) -> Nodes:
    """What is known of the value at a dotted path, of which the numbers may be indices."""
    nodes = [root]
    for step in path.split("."):
        nodes = [*members_of(nodes, step), *(items_of(nodes) if step.isdecimal() else ())]
    return nodes
