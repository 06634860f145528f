"""Which paths are typed, by the `x-bson` of a schema.

A path has one type, whichever alternatives of the schema a document matches: the schemas that may
say something of a value are gathered through `$ref`, `allOf`, `anyOf`, `oneOf`, `then`, `else` and
`dependentSchemas`, and those of its parts through `properties`, `additionalProperties` and `items`.
Where the type of a path depends on anything else, such as the pattern of a name, it cannot be
decided from the path, and `x-bson` is a fault.

JSON Schema 2020-12, core, section 10: https://json-schema.org/draft/2020-12/json-schema-core
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeAlias

from service.documents.published.references import References, Schema
from service.documents.typed.kinds import KINDS, Kind
from service.documents.typed.tree import Node
from service.documents.typed.undecided import find_keyword, undecided

KEYWORD = "x-bson"
MAX_PATHS = 5000
MAX_PARTS = 1000
RESERVED = ("_id", "_stuff")

Context: TypeAlias = frozenset[tuple[int, int]]
"""The alternatives through which a schema was reached: numbers of choices and of their branches."""


class TypeFault(ValueError):
    """The types of paths cannot be told from the schema. `path` leads from `schema` to the
    place."""

    def __init__(self, detail: str, schema: Schema, *path: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.schema = schema
        self.path = path


def typed_paths(schema: Schema, references: References) -> Node | None:
    """The tree of typed paths; None if there are none. Raises `TypeFault`."""
    for each in references.known:
        _check_name(each)
    root = _Reader(references).read(schema)
    if not _without_untyped(root):
        return None
    # The id is no field, even if any field is typed.
    return Node(members=root.members | {"_id": Node()}, others=root.others)


@dataclass(frozen=True, slots=True)
class _Part:
    """A schema that says something of a value, in some context."""

    schema: dict[str, Any]
    context: Context

    @property
    def is_about_strings(self) -> bool:
        """Whether it says that the value may be a string."""
        kinds = self.schema.get("type", ())
        values = [*self.schema.get("enum", ()), self.schema.get("const")]
        return "string" in kinds or any(isinstance(value, str) for value in values)

    def holds_with(self, other: "_Part") -> bool:
        """Whether this always holds where the other part does."""
        return self.context <= other.context


_Start: TypeAlias = tuple[Schema, Context]
_Shape: TypeAlias = frozenset[tuple[int, int]]


@dataclass
class _Reader:
    references: References
    _nodes: dict[_Shape, Node] = field(default_factory=dict)
    _unread: list[tuple[Node, list[_Part]]] = field(default_factory=list)
    _checked: set[int] = field(default_factory=set)
    _choices: Iterator[int] = field(default_factory=count)

    def read(self, schema: Schema) -> Node:
        root = self._node([(schema, frozenset())])
        for name in RESERVED:
            for part in self._unread[0][1]:
                schema_of = part.schema.get("properties", {}).get(name)
                if below := find_keyword(KEYWORD, schema_of, self.references):
                    raise TypeFault(f"{name} is not a field. Its type is not declared here.", below)
        while self._unread:
            node, parts = self._unread.pop()
            names = {name: None for part in parts for name in part.schema.get("properties", ())}
            node.members = {name: self._node(list(_member(parts, name))) for name in names}
            node.others = self._node([*_each(parts, "additionalProperties")])
            node.items = self._node([*_each(parts, "items")])
            if len(self._nodes) > MAX_PATHS:
                raise TypeFault(f"With {KEYWORD}, there are at most {MAX_PATHS:,} paths.", schema)
        return root

    def _node(self, starts: list[_Start]) -> Node:
        """The node of values for which these schemas hold; the same one for the same schemas in
        contexts that are related in the same way."""
        starts = [each for each in starts if isinstance(each[0], dict)]
        shape = frozenset(
            (id(one), id(other))
            for one, context in starts
            for other, around in starts
            if context <= around
        )
        node = self._nodes.get(shape)
        if node is None:
            parts = self._parts(starts)
            node = self._nodes[shape] = Node(self._kind(parts))
            self._unread.append((node, parts))
        return node

    def _parts(self, starts: list[_Start]) -> list[_Part]:
        """All schemas that say something of a value, if these do."""
        found: dict[tuple[int, Context], _Part] = {}
        pending = [*starts]
        for schema, context in pending:  # which grows meanwhile
            if not isinstance(schema, dict) or (id(schema), context) in found:
                continue
            found[id(schema), context] = _Part(schema, context)
            if len(found) > MAX_PARTS:
                raise TypeFault(f"With {KEYWORD}, a value has at most {MAX_PARTS} schemas.", schema)
            _check_name(schema)
            self._check_undecided(schema)
            if "$ref" in schema:
                pending.append((self.references.target(schema), context))
            pending += [(each, context) for each in schema.get("allOf", ())]
            for branches in _choices(schema):
                choice = next(self._choices)
                pending += [
                    (each, context | {(choice, number)}) for number, each in enumerate(branches)
                ]
        return [*found.values()]

    def _kind(self, parts: list[_Part]) -> Kind | None:
        """The one type that these say. Raises `TypeFault` if they do not agree."""
        typed = [part for part in parts if KEYWORD in part.schema]
        if not typed:
            return None
        name = typed[0].schema[KEYWORD]
        texts = [part for part in parts if part.is_about_strings]
        for part in typed:
            if (other := part.schema[KEYWORD]) != name:
                detail = f"Its path has two types, {name} and {other}. It can have one."
                raise TypeFault(detail, part.schema, KEYWORD)
            if not any(text.holds_with(part) for text in texts):
                raise TypeFault('It belongs to "type": "string".', part.schema, KEYWORD)
        for text in texts:
            if not any(part.holds_with(text) for part in typed):
                detail = f"Another alternative stores the string as {name}. Say {KEYWORD} here too."
                raise TypeFault(detail, text.schema)
            _check_values(text.schema, KINDS[name])
        return KINDS[name]

    def _check_undecided(self, schema: dict[str, Any]) -> None:
        """Raise `TypeFault` if the schema types what its path does not tell from other values."""
        if id(schema) in self._checked:
            return
        self._checked.add(id(schema))
        for keyword, below in undecided(schema, self.references):
            if found := find_keyword(KEYWORD, below, self.references):
                detail = f"It cannot be below {keyword}: a type belongs to a path."
                raise TypeFault(detail, found, KEYWORD)


def _check_name(schema: dict[str, Any]) -> None:
    if KEYWORD in schema and schema[KEYWORD] not in [*KINDS]:
        raise TypeFault(f"Give one of these: {', '.join(KINDS)}.", schema, KEYWORD)


def _check_values(schema: dict[str, Any], kind: Kind) -> None:
    """Raise `TypeFault` if strings are allowed that no document would be read with."""
    for keyword, values in (("const", [schema.get("const")]), ("enum", schema.get("enum", ()))):
        for value in values:
            if isinstance(value, str):
                try:
                    canonical = kind.canonical(value)
                except ValueError:
                    detail = f"{value!r} is no {kind.name}. {kind.expected}"
                    raise TypeFault(detail, schema, keyword) from None
                if canonical != value:
                    detail = f"{value!r} is read as {canonical!r}. Write it so."
                    raise TypeFault(detail, schema, keyword)


def _choices(schema: dict[str, Any]) -> Iterator[list[Schema]]:
    """The alternatives of which one may hold."""
    yield from (schema[keyword] for keyword in ("anyOf", "oneOf") if keyword in schema)
    yield [schema[keyword] for keyword in ("then", "else") if keyword in schema]
    yield from ([each] for each in schema.get("dependentSchemas", {}).values())


def _member(parts: list[_Part], name: str) -> Iterator[_Start]:
    for part in parts:
        properties = part.schema.get("properties", {})
        if name in properties:
            yield properties[name], part.context
        else:
            yield from _each([part], "additionalProperties")


def _each(parts: list[_Part], keyword: str) -> Iterator[_Start]:
    return ((part.schema[keyword], part.context) for part in parts if keyword in part.schema)


def _without_untyped(root: Node) -> bool:
    """Remove the nodes in which nothing is typed. Returns whether the root is none of them."""
    below: dict[Node, list[Node]] = {}
    pending = [root]
    while pending:
        node = pending.pop()
        if node not in below:
            inner = [*node.members.values(), node.others, node.items]
            below[node] = [each for each in inner if each is not None]
            pending += below[node]
    above: dict[Node, list[Node]] = {node: [] for node in below}
    for node, inside in below.items():
        for each in inside:
            above[each].append(node)
    typed: set[Node] = set()
    pending = [node for node in below if node.kind is not None]
    while pending:
        node = pending.pop()
        if node not in typed:
            typed.add(node)
            pending += above[node]
    for node in below:
        node.others = node.others if node.others in typed else None
        if node.others is None:  # else members that are not typed must not be taken for others
            node.members = {name: each for name, each in node.members.items() if each in typed}
        node.items = node.items if node.items in typed else None
    return root in typed
