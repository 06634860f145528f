"""Random schemas together with documents that fit them, by construction.

A schema is drawn around values: each keyword says something that is true of all of them. So no
document has to be found by chance, and the keywords that publication changes or leaves out are in
many schemas: `const`, `oneOf`, `if`, `patternProperties`, `prefixItems`, `unevaluatedItems`.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

from service.documents.schemas.keywords import canonical

Schema: TypeAlias = dict[str, Any] | bool
Value = TypeVar("Value")

NAMES = st.sampled_from(["a", "b", "ab", "c", "date"])
SCALARS = st.sampled_from(
    [None, True, False, 0, 1, -1, 2.5, 1.0, "", "a", "b", "2026-11-25", "2027-01-01", "ü"]
)
VALUES = st.recursive(
    SCALARS,
    lambda some: st.lists(some, max_size=3) | st.dictionaries(NAMES, some, max_size=3),
    max_leaves=6,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)
PATTERNS = ("^a", "b|c", "^d")
OTHERS: list[Schema] = [
    True, {}, {"type": "string"}, {"type": ["integer", "null"]}, {"const": 1}, {"enum": ["a", 2.5]},
    {"properties": {"a": {"type": "string"}, "c": {"const": "c"}}, "required": ["a"]},
    {"patternProperties": {"^d": {"type": "integer"}}, "additionalProperties": False},
    {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
    {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
]  # fmt: skip
"""Of what is in no document."""
NEVER: list[Schema] = [
    False, {"const": "none"}, {"enum": ["none", 7]}, {"type": "object", "required": ["none"]},
]  # fmt: skip
"""Of no value in a document."""
NODES = 15
"""Schemas within a schema, about."""


@dataclass(frozen=True)
class Fitted:
    """A schema, documents that fit it, and others, of which some do."""

    schema: dict[str, Any]
    documents: list[dict[str, Any]]
    others: list[dict[str, Any]]


@st.composite
def fitted(draw: st.DrawFn) -> Fitted:
    documents = draw(st.lists(DOCUMENTS, min_size=1, max_size=3))
    drawing = _Drawing(draw)
    schema = drawing.document(documents)
    others = draw(st.lists(DOCUMENTS, max_size=3))
    for document in documents:
        others.append(document | draw(DOCUMENTS))
        for name in document:
            others.append({key: value for key, value in document.items() if key != name})
    return Fitted(schema | {"$defs": drawing.defs}, documents, others)


def names_in(schema: Any) -> set[str]:
    """All names in the schema, those of its keywords among them."""
    if isinstance(schema, dict):
        return set(schema).union(*map(names_in, schema.values()))
    return set[str]().union(*map(names_in, schema)) if isinstance(schema, list) else set()


class _Drawing:
    """Draws schemas, and keeps those that others refer to."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._left = NODES
        self.defs: dict[str, Schema] = {}

    def document(self, documents: list[dict[str, Any]]) -> dict[str, Any]:
        return self._keywords(documents) | self._members(documents)

    def schema(self, values: list[Any]) -> Schema:
        """A schema that all these values fit."""
        self._left -= 1
        if not values:
            return deepcopy(self._draw(st.sampled_from(OTHERS)))
        if self._left < 0:
            return {"type": types_of(values)} if self._chance() else True
        made = self._keywords(values) | self._bounds(values)
        if objects := [value for value in values if isinstance(value, dict)]:
            made |= self._members(objects)
        if arrays := [value for value in values if isinstance(value, list)]:
            made |= self._items(arrays)
        return made

    def rejecting(self, values: list[Any]) -> Schema:
        """A schema that none of these values fits."""
        if self._chance():
            return {"not": self.schema(values)}
        return self._draw(st.sampled_from(NEVER))

    def _keywords(self, values: list[Any]) -> dict[str, Any]:
        """What can be said of values of any type."""
        makers: list[Callable[[list[Any]], dict[str, Any]]] = [
            self._type, self._values, self._all, self._any, self._one, self._by_member,
            self._if, self._not, self._reference,
        ]  # fmt: skip
        made: dict[str, Any] = {}
        for make in self._draw(st.lists(st.sampled_from(makers), max_size=2, unique=True)):
            made |= make(values)
        return made

    def _type(self, values: list[Any]) -> dict[str, Any]:
        kinds = types_of(values)
        return {"type": kinds[0] if len(kinds) == 1 else kinds}

    def _values(self, values: list[Any]) -> dict[str, Any]:
        different = deepcopy(list({canonical(value): value for value in values}.values()))
        if len(different) == 1 and self._chance():
            return {"const": different[0]}
        return {"enum": [*different, "none"]}

    def _all(self, values: list[Any]) -> dict[str, Any]:
        return {"allOf": [self.schema(values), self.schema(values)]}

    def _any(self, values: list[Any]) -> dict[str, Any]:
        if self._chance():
            return {"anyOf": self._shuffled([self.schema(values), self.schema([])])}
        each: dict[str, list[Any]] = {}
        for value in values:
            each.setdefault(types_of([value])[0], []).append(value)
        return {"anyOf": [{"type": kind, "allOf": [self.schema(of)]} for kind, of in each.items()]}

    def _one(self, values: list[Any]) -> dict[str, Any]:
        return {"oneOf": self._shuffled([self.schema(values), self.rejecting(values)])}

    def _by_member(self, values: list[Any]) -> dict[str, Any]:
        """A union whose branches a member of the object tells apart."""
        if not all(isinstance(value, dict) for value in values):
            return {}
        common = sorted(set.intersection(*map(set, values)))
        if not common:
            return {}
        name = self._some(common)
        branches: dict[bytes, list[Any]] = {}
        for value in values:
            branches.setdefault(canonical(value[name]), []).append(value)
        made = [
            self._members(of)
            | {"required": [name], "allOf": [{"properties": {name: {"const": of[0][name]}}}]}
            for of in deepcopy([*branches.values()])
        ]
        made.append({"properties": {name: {"const": "none"}}, "type": "object"})
        return {"oneOf": self._shuffled(made)}

    def _if(self, values: list[Any]) -> dict[str, Any]:
        if self._chance():
            return {
                "if": self.schema(values), "then": self.schema(values), "else": self.schema([])
            }  # fmt: skip
        return {"if": self.rejecting(values), "then": self.schema([]), "else": self.schema(values)}

    def _not(self, values: list[Any]) -> dict[str, Any]:
        return {"not": self.rejecting(values)}

    def _reference(self, values: list[Any]) -> dict[str, Any]:
        name = f"d{len(self.defs)}"
        self.defs[name] = True
        self.defs[name] = self.schema(values)
        return {"$ref": f"#/$defs/{name}"}

    def _members(self, objects: list[dict[str, Any]]) -> dict[str, Any]:
        names = sorted({name for each in objects for name in each})
        declared = self._subset(names)
        made: dict[str, Any] = {
            "properties": {
                name: self.schema([each[name] for each in objects if name in each])
                for name in declared
            }
        }
        if self._chance():
            made["properties"]["none"] = self.schema([])
        rest = [name for name in names if name not in declared]
        if self._chance():
            pattern = self._some(PATTERNS)
            matching = [name for name in names if re.search(pattern, name)]
            made["patternProperties"] = {pattern: self.schema(_of(objects, matching))}
            rest = [name for name in rest if name not in matching]
        if closing := self._some(["", "additionalProperties", "unevaluatedProperties"]):
            made[closing] = self._rest(_of(objects, rest))
        common = sorted(set.intersection(*map(set, objects)))
        facts = {"required": self._subset(common), "propertyNames": {"maxLength": 4}}
        if names:
            name = self._some(names)
            having = [each for each in objects if name in each]
            facts["dependentSchemas"] = {name: self.schema(having)}
            others = sorted(set.intersection(*map(set, having)))
            facts["dependentRequired"] = {name: others, "none": ["a"]}
        return made | self._some_of(facts)

    def _items(self, arrays: list[list[Any]]) -> dict[str, Any]:
        count = self._some([0, 1, 2])
        first = [[each[n] for each in arrays if len(each) > n] for n in range(count)]
        made: dict[str, Any] = {"prefixItems": [*map(self.schema, first)]} if first else {}
        if closing := self._some(["", "items", "unevaluatedItems"]):
            made[closing] = self._rest([item for each in arrays for item in each[count:]])
        if all(arrays) and self._chance():
            made["contains"] = self.schema([each[-1] for each in arrays])
        return made

    def _bounds(self, values: list[Any]) -> dict[str, Any]:
        facts: dict[str, Any] = {}
        if lengths := [len(value) for value in values if isinstance(value, str)]:
            facts |= {"minLength": min(lengths), "maxLength": max(lengths), "pattern": "^"}
        if all(value in ("2026-11-25", "2027-01-01") for value in values):
            facts["format"] = "date"
        if numbers := [value for value in values if type(value) in (int, float)]:
            facts |= {"minimum": min(numbers), "maximum": max(numbers), "multipleOf": 0.5}
        if sizes := [len(value) for value in values if isinstance(value, list)]:
            facts |= {"minItems": min(sizes), "maxItems": max(sizes)}
        return self._some_of(facts)

    def _rest(self, values: list[Any]) -> Schema:
        return self.schema(values) if values or self._chance() else False

    def _chance(self) -> bool:
        return self._draw(st.booleans())

    def _some(self, values: list[Any] | tuple[Any, ...]) -> Any:
        return self._draw(st.sampled_from(values))

    def _subset(self, values: list[Value]) -> list[Value]:
        return [value for value in values if self._chance()]

    def _some_of(self, facts: dict[str, Any]) -> dict[str, Any]:
        return {keyword: facts[keyword] for keyword in self._subset([*facts])}

    def _shuffled(self, values: list[Value]) -> list[Value]:
        return values[::-1] if self._chance() else values


def types_of(values: list[Any]) -> list[str]:
    """The types of these values."""
    kinds = {bool: "boolean", int: "integer", str: "string", list: "array", dict: "object"}
    found = [
        ("integer" if value.is_integer() else "number")
        if isinstance(value, float)
        else kinds.get(type(value), "null")
        for value in values
    ]
    return sorted(set(found))


def _of(objects: list[dict[str, Any]], names: list[str]) -> list[Any]:
    return [each[name] for each in objects for name in names if name in each]
