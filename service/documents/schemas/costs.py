"""Whether a schema can be checked in time that the bytes of a document justify.

The library checks a value once for each way that leads to it: through `allOf` and its like on the
value itself, and through `properties` and its like from the values around it. Where a schema that
contains itself does so in two ways for the same value, each level of a document doubles the work.
So the ways are counted when the service starts, as in an automaton that reads the path to a value.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import unquote, urldefrag, urljoin

from service.documents.layout import MAX_DOCUMENT_BYTES
from service.documents.schemas.references import Resources

MAX_WAYS = 1000
"""How often a value may be checked: with each of the ways that lead to it."""
FREE_WAYS = 20
"""Ways for which a document may have any size: a check of 1 MiB takes up to 2 ms for each."""
MAX_PATTERNS = 5
"""Patterns of names in one object: each name is compared with all of them."""

Node: TypeAlias = tuple[str, tuple[str | int, ...]]
"""A schema: the URI of its resource, and the path in it."""
Key: TypeAlias = str | int | None
"""The key or index of a child; None for those that no schema names."""

_IN_PLACE = ("$ref", "$dynamicRef", "not", "if", "then", "else")
_IN_PLACE_LISTS = ("allOf", "anyOf", "oneOf")
_CHILDREN = (
    "additionalProperties", "propertyNames", "unevaluatedProperties", "items", "contains",
    "unevaluatedItems",
)  # fmt: skip


class TooCostly(ValueError):
    """The schema may take too long. `node` is the place."""

    def __init__(self, detail: str, node: Node) -> None:
        super().__init__(detail)
        self.detail = detail
        self.node = node


def check_costs(uri: str, schema: Any, resources: Resources) -> int:
    """The bytes that a document may have, as BSON, so that its check does not take too long. Raises
    `TooCostly` unless the cost of a check is bounded by the size of the document."""
    root = (uri, ())
    try:
        ways = _Costs({**resources, uri: schema}).check(root)
    except RecursionError:
        raise TooCostly("One schema leads to the next too often.", root) from None
    return MAX_DOCUMENT_BYTES * FREE_WAYS // max(ways, FREE_WAYS)


@dataclass
class _Costs:
    resources: Mapping[str, Any]
    _closures: dict[Node, Counter[Node]] = field(default_factory=dict)

    def check(self, root: Node) -> int:
        """The most ways that lead to one value."""
        graph: dict[Node, dict[Key, Counter[Node]]] = {}
        pending = [root]
        while pending:
            node = pending.pop()
            if node in graph:
                continue
            graph[node] = self._children(node)
            pending += {target for targets in graph[node].values() for target in targets}
        component = _components(graph)
        ways: dict[int, int] = {}
        below = self._ways(root, graph, component, ways)
        most = max(sum(self._closure(node, ()).values()) for node in graph)
        return min(below * most, MAX_WAYS)

    def _ways(
        self,
        node: Node,
        graph: Mapping[Node, Mapping[Key, Counter[Node]]],
        component: Mapping[Node, int],
        ways: dict[int, int],
    ) -> int:
        """The most ways that lead from this component to one value."""
        own = component[node]
        if own in ways:
            return ways[own]
        most = 1
        members = [each for each in graph if component[each] == own]
        for member in members:
            for targets in graph[member].values():
                inside = sum(count for each, count in targets.items() if component[each] == own)
                if inside > 1:
                    raise TooCostly(
                        "The schema contains itself in several ways for the same value, so "
                        "that each level of a document doubles the work. Let one alternative "
                        "contain it.",
                        member,
                    )
                total = sum(
                    count * self._ways(each, graph, component, ways)
                    for each, count in targets.items()
                    if component[each] != own
                )
                most = max(most, total + inside)
                if most > MAX_WAYS:
                    raise TooCostly(f"A value may be checked more than {MAX_WAYS} times.", member)
        ways[own] = most
        return most

    def _children(self, node: Node) -> dict[Key, Counter[Node]]:
        """What the children of a value are checked with, by their key, if this is checked."""
        closure = self._closure(node, ())
        if closure.total() > MAX_WAYS:
            raise TooCostly(f"A value may be checked more than {MAX_WAYS} times.", node)
        by_key: dict[Key, Counter[Node]] = {None: Counter()}
        patterns = 0
        for member in closure:
            schema = self._at(member)
            if isinstance(schema, dict):
                patterns += len(schema.get("patternProperties", ()))
                for key in _named(schema):
                    by_key.setdefault(key, Counter())
        if patterns > MAX_PATTERNS:
            raise TooCostly(f"An object has at most {MAX_PATTERNS} patterns of names.", node)
        for member, times in closure.items():
            schema = self._at(member)
            if isinstance(schema, dict):
                for key, targets in by_key.items():
                    for target in self._targets(member, schema, key):
                        targets[target] += times
        return by_key

    def _targets(self, node: Node, schema: Mapping[str, Any], key: Key) -> Iterator[Node]:
        uri, path = node
        if isinstance(key, str) and key in schema.get("properties", {}):
            yield uri, (*path, "properties", key)
        if isinstance(key, int) and key < len(schema.get("prefixItems", ())):
            yield uri, (*path, "prefixItems", key)
        for pattern in schema.get("patternProperties", {}):
            if not isinstance(key, int):
                yield uri, (*path, "patternProperties", pattern)
        is_named = key in schema.get("properties", {}) if isinstance(key, str) else False
        for name in _CHILDREN:
            is_of_array = name in ("items", "contains", "unevaluatedItems")
            fits = key is None or is_of_array == isinstance(key, int)
            if fits and name in schema and not (is_named and name == "additionalProperties"):
                yield uri, (*path, name)

    def _closure(self, node: Node, above: tuple[Node, ...]) -> Counter[Node]:
        """What a value is checked with, and how often, if it is checked with this."""
        if node in above:
            raise TooCostly("The schema refers to itself for the same value, without an end.", node)
        found = self._closures.get(node)
        if found is None:
            found = Counter([node])
            for each in self._in_place(node):
                found.update(self._closure(each, (*above, node)))
                if found.total() > MAX_WAYS:
                    raise TooCostly(f"A value may be checked more than {MAX_WAYS} times.", node)
            self._closures[node] = found
        return found

    def _in_place(self, node: Node) -> Iterator[Node]:
        uri, path = node
        schema = self._at(node)
        if not isinstance(schema, dict):
            return
        for key in _IN_PLACE:
            if key in ("$ref", "$dynamicRef"):
                target = self._resolve(uri, schema[key]) if key in schema else None
                if target is not None:
                    yield target
            elif key in schema:
                yield uri, (*path, key)
        for key in _IN_PLACE_LISTS:
            yield from ((uri, (*path, key, index)) for index in range(len(schema.get(key, ()))))
        for name in schema.get("dependentSchemas", {}):
            yield uri, (*path, "dependentSchemas", name)

    def _resolve(self, uri: str, reference: str) -> Node | None:
        """The schema to which it refers; the whole resource for an anchor that is not found; None
        if it leads nowhere, which is found when the schema is compiled."""
        base = self.resources[uri].get("$id", "") if isinstance(self.resources[uri], dict) else ""
        target, fragment = urldefrag(urljoin(urljoin(uri, base), reference))
        if target not in self.resources:
            target = uri
        if fragment.startswith("/"):
            try:
                return target, self._path(target, unquote(fragment))
            except (KeyError, IndexError, TypeError, ValueError):
                return None
        return target, _anchor(self.resources[target], fragment) if fragment else ()

    def _path(self, uri: str, pointer: str) -> tuple[str | int, ...]:
        path: list[str | int] = []
        value = self.resources[uri]
        for step in pointer.split("/")[1:]:
            key = step.replace("~1", "/").replace("~0", "~")
            path.append(int(key) if isinstance(value, list) else key)
            value = value[path[-1]]
        return tuple(path)

    def _at(self, node: Node) -> Any:
        uri, path = node
        value = self.resources[uri]
        for step in path:
            value = value[step]
        return value


def _named(schema: Mapping[str, Any]) -> Iterator[Key]:
    yield from schema.get("properties", {})
    yield from range(len(schema.get("prefixItems", ())))


def _anchor(schema: Any, name: str, path: tuple[str | int, ...] = ()) -> tuple[str | int, ...]:
    """The place of an anchor; of the schema itself if there is none."""
    pending: list[tuple[Any, tuple[str | int, ...]]] = [(schema, path)]
    while pending:
        value, place = pending.pop()
        if isinstance(value, dict):
            if name in (value.get("$anchor"), value.get("$dynamicAnchor")):
                return place
            pending += [(child, (*place, key)) for key, child in value.items()]
        elif isinstance(value, list):
            pending += [(child, (*place, index)) for index, child in enumerate(value)]
    return ()


def _components(graph: Mapping[Node, Mapping[Key, Counter[Node]]]) -> dict[Node, int]:
    """The strongly connected components (Tarjan 1972), each with a number."""
    numbers: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    component: dict[Node, int] = {}
    stack: list[Node] = []

    def edges(node: Node) -> Iterator[Node]:
        return iter({each for targets in graph[node].values() for each in targets})

    for root in graph:
        if root in numbers:
            continue
        work = [(root, edges(root))]
        numbers[root] = lowest[root] = len(numbers)
        stack.append(root)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in numbers:
                    numbers[target] = lowest[target] = len(numbers)
                    stack.append(target)
                    work.append((target, edges(target)))
                    break
                if target not in component:
                    lowest[node] = min(lowest[node], numbers[target])
            else:
                work.pop()
                if work:
                    lowest[work[-1][0]] = min(lowest[work[-1][0]], lowest[node])
                if lowest[node] == numbers[node]:
                    while True:
                        member = stack.pop()
                        component[member] = numbers[node]
                        if member == node:
                            break
    return component
