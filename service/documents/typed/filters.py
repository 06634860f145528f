"""Filters with the strings of typed paths: compared as the values that are stored there, so that
an index serves them.

A path leads through arrays as MongoDB's does: `lines.due` is the field of each element, `lines.0`
one element, and what is compared with an array is compared with each of its elements, too.
https://www.mongodb.com/docs/manual/tutorial/query-array-of-documents/
"""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from service.documents.typed.kinds import Kind
from service.documents.typed.tree import Node
from service.errors import InvalidParameter, json_pointer

Nodes: TypeAlias = list[Node]
"""What is known of the values at a path; of several if it leads through an array and past it."""
Path: TypeAlias = list[str | int]

_COMBINED = ("$and", "$or", "$nor")
_COMPARED = ("$eq", "$ne", "$gt", "$gte", "$lt", "$lte")
_LISTED = ("$in", "$nin")


def typed_filter(root: Node, query: Mapping[str, Any]) -> dict[str, Any]:
    """The query with values in place of strings. Raises `InvalidParameter`, with a JSON Pointer
    into the filter."""
    return _query(query, [root], [])


def typed_condition(nodes: Nodes, condition: Any, path: Path) -> Any:
    """A condition on the elements of an array, of which this is known, as `parse_condition` returns
    it. Raises `InvalidParameter`."""
    if isinstance(condition, dict):
        return _element(condition, nodes, path)
    return _literal(condition, nodes, path)


def _query(query: Mapping[str, Any], nodes: Nodes, path: Path) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for key, value in query.items():
        place = [*path, key]
        if key in _COMBINED:
            typed[key] = [_query(each, nodes, [*place, i]) for i, each in enumerate(value)]
        else:
            typed[key] = _condition(value, _at(nodes, key), place)
    return typed


def _condition(value: Any, nodes: Nodes, path: Path) -> Any:
    """A value that is equal, or operators."""
    if not nodes:
        return value
    if isinstance(value, dict) and any(key.startswith("$") for key in value):
        return {key: _operand(key, each, nodes, [*path, key]) for key, each in value.items()}
    return _compared(value, nodes, path)


def _operand(operator: str, value: Any, nodes: Nodes, path: Path) -> Any:
    if operator in _COMPARED:
        return _compared(value, nodes, path)
    if operator in _LISTED:
        return [_compared(each, nodes, [*path, i]) for i, each in enumerate(value)]
    if operator == "$all":
        return [_condition(each, nodes, [*path, i]) for i, each in enumerate(value)]
    if operator == "$not":
        return _condition(value, nodes, path)
    if operator == "$elemMatch":
        return _element(value, items_of(nodes), path)
    return value


def _element(value: Any, nodes: Nodes, path: Path) -> Any:
    """Operators, or a query for the fields of objects."""
    has_operators = any(key.startswith("$") and key not in _COMBINED for key in value)
    return (_condition if has_operators else _query)(value, nodes, path)


def _compared(value: Any, nodes: Nodes, path: Path) -> Any:
    """A value to compare with, or with each element of an array."""
    return _literal(value, [*nodes, *items_of(nodes)], path)


def _literal(value: Any, nodes: Nodes, path: Path) -> Any:
    if not nodes:
        return value
    if isinstance(value, list):
        items = items_of(nodes)
        return [_literal(each, items, [*path, i]) for i, each in enumerate(value)]
    if isinstance(value, dict):
        return {
            key: _literal(each, members_of(nodes, key), [*path, key]) for key, each in value.items()
        }
    return _value(value, nodes, path) if type(value) is str else value


def _value(text: str, nodes: Nodes, path: Path) -> Any:
    kinds: dict[str, Kind] = {each.kind.name: each.kind for each in nodes if each.kind is not None}
    if not kinds:
        return text
    if len(kinds) > 1:
        raise _invalid(
            f"Values of several types are compared here: {', '.join(sorted(kinds))}. Say which by "
            "Extended JSON.",
            path,
        )
    [kind] = kinds.values()
    try:
        return kind.read(text)
    except ValueError:
        raise _invalid(kind.expected, path) from None


def _at(nodes: Nodes, path: str) -> Nodes:
    """What is known of the values to which a dotted path leads, through arrays, too."""
    for step in path.split("."):
        items = items_of(nodes)
        nodes = [*members_of([*nodes, *items], step), *(items if step.isdecimal() else ())]
    return nodes


def members_of(nodes: Nodes, name: str) -> Nodes:
    found = (node.members.get(name, node.others) for node in nodes)
    return _distinct(node for node in found if node is not None)


def items_of(nodes: Nodes) -> Nodes:
    return _distinct(node.items for node in nodes if node.items is not None)


def _distinct(nodes: Iterator[Node]) -> Nodes:
    return [*dict.fromkeys(nodes)]


def _invalid(detail: str, path: Path) -> InvalidParameter:
    return InvalidParameter("filter", detail, json_pointer(path))
