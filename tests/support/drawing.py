"""Draws random schemas that given values fit, by construction.

Each keyword says something that is true of all the values. So no document has to be found by
chance, and the keywords that publication changes or leaves out are in many schemas: `const`,
`oneOf`, `if`, `patternProperties`, `prefixItems`, `unevaluatedItems`.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from typing import Any, TypeAlias, TypeVar

from hypothesis import strategies as st

from service.documents.schemas.keywords import canonical

Schema: TypeAlias = dict[str, Any] | bool
Value = TypeVar("Value")

NAMES = st.sampled_from(["a", "b", "ab", "c", "date"])
SCALARS = st.sampled_from(
    [None, True, False, 0, 1, -1, 2.5, 1.0, "", "a", "b", "2026-11-25", "2027-01-01", "ü"]
)
PATTERNS = ("^a", "b|c", "^d")
OTHERS: list[Schema] = [
    True, {}, {"type": "string"}, {"type": ["integer", "null"]}, {"const": 1}, {"enum": ["a", 2.5]},
    {"properties": {"a": {"type": "string"}, "c": {"const": "c"}}, "required": ["a"]},
    {"patternProperties": {"^d": {"type": "integer"}}, "additionalProperties": False},
    {"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}},
    {"type": "array", "items": {"type": "boolean"}},
    {"type": "object", "properties": {"b": {"type": "integer"}}, "required": ["b"]},
    {"oneOf": [{"required": ["a"]}, {"required": ["b"]}]},
]  # fmt: skip
"""Of what is in no document."""
NEVER: list[Schema] = [
    False, {"const": "none"}, {"enum": ["none", 7]}, {"type": "object", "required": ["none"]},
]  # fmt: skip
"""Of no value in a document."""
CLOSING = ("additionalProperties", "", "additionalProperties", "unevaluatedProperties")
NODES = 20
"""Schemas within a schema, about."""


class Drawing:
    """Draws schemas, and keeps those that others refer to."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._left = NODES
        self.defs: dict[str, Schema] = {}

    def document(self, documents: list[dict[str, Any]]) -> dict[str, Any]:
        """A schema that all these documents fit."""
        made = self._record(documents)
        return self._keywords(documents) | made if self._chance() else made

    def schema(self, values: list[Any]) -> Schema:
        """A schema that all these values fit."""
        self._left -= 1
        if not values:
            return deepcopy(self._draw(st.sampled_from(OTHERS)))
        if self._left < 0:
            return self._type(values)
        made = self._type(values) if self._often() else {}
        if objects := [value for value in values if isinstance(value, dict)]:
            made |= self._members(objects)
        if arrays := [value for value in values if isinstance(value, list)]:
            made |= self._items(arrays)
        made |= self._bounds(values)
        return made if self._often() else self._keywords(values) | made

    def rejecting(self, values: list[Any]) -> Schema:
        """A schema that none of these values fits."""
        if self._chance():
            like = [each for each in self._like(values) if isinstance(each, dict)]
            return {**(self._record(like) if like else {}), "type": "object", "required": ["none"]}
        if self._chance():
            return {"not": self.schema(values)}
        return self._draw(st.sampled_from(NEVER))

    def _like(self, values: list[Any]) -> list[Any]:
        """Another value of the type of the first of these."""
        if isinstance(values[0], list):
            return [self._draw(st.lists(SCALARS, min_size=1, max_size=2))]
        if isinstance(values[0], dict):
            return [self._draw(st.dictionaries(NAMES, SCALARS, min_size=1, max_size=3))]
        return [self._draw(SCALARS)]

    def _keywords(self, values: list[Any]) -> dict[str, Any]:
        """What can be said of values of any type."""
        makers: list[Callable[[list[Any]], dict[str, Any]]] = [
            self._values, self._all, self._any, self._any, self._one, self._one, self._by_member,
            self._if, self._not, self._reference,
        ]  # fmt: skip
        make: Callable[[list[Any]], dict[str, Any]] = self._draw(st.sampled_from(makers))
        return make(values)

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
            return {"anyOf": self._shuffled([self.schema(values), self.schema(self._like(values))])}
        return {"anyOf": [self.schema([value]) for value in values]}

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
        return self._record(objects) if self._chance() else self._others(objects, [])

    def _record(self, objects: list[dict[str, Any]]) -> dict[str, Any]:
        """Objects with members that are named."""
        declared = [name for name in _names(objects) if self._often()]
        made: dict[str, Any] = {
            "properties": {name: self.schema(_of(objects, [name])) for name in declared}
        }
        if self._chance():
            made["properties"]["none"] = self.schema([])
        made |= self._others(objects, declared)
        common = sorted(set.intersection(*map(set, objects)))
        facts: dict[str, Any] = {"required": self._subset(common)}
        if declared:
            name = self._some(declared)
            having = [each for each in objects if name in each]
            facts["dependentSchemas"] = {name: self.schema(having)}
            others = sorted(set.intersection(*map(set, having)))
            facts["dependentRequired"] = {name: others, "none": ["a"]}
        return made | self._some_of(facts)

    def _others(self, objects: list[dict[str, Any]], declared: list[str]) -> dict[str, Any]:
        """What is said of members beside those that are declared."""
        made: dict[str, Any] = {}
        rest = [name for name in _names(objects) if name not in declared]
        pattern = self._some(PATTERNS)
        if (matching := [name for name in _names(objects) if re.search(pattern, name)]) and (
            not declared or self._chance()
        ):
            made["patternProperties"] = {pattern: self.schema(_of(objects, matching))}
            rest = [name for name in rest if name not in matching]
        if closing := self._some(CLOSING):
            made[closing] = self._rest(_of(objects, rest))
        return made | self._some_of({"propertyNames": {"maxLength": 4}})

    def _items(self, arrays: list[list[Any]]) -> dict[str, Any]:
        count = self._some([0, 1, 2])
        first = [[each[n] for each in arrays if len(each) > n] for n in range(count)]
        made: dict[str, Any] = {"prefixItems": [*map(self.schema, first)]} if first else {}
        if closing := self._some(["items", "", "items", "unevaluatedItems"]):
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

    def _often(self) -> bool:
        return self._chance() or self._chance()

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


def _names(objects: list[dict[str, Any]]) -> list[str]:
    return sorted({name for each in objects for name in each})
