"""What all the parts of a schema say together, as far as a published schema repeats it.

The parts are the schema itself, what its `$ref` means, and what is in its `allOf`: a value must
match each of them. So whatever one part says may be left out, and the result is only weaker.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

from service.documents.published.references import References, Schema

Part: TypeAlias = dict[str, Any]

TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")


def parts_of(schema: Schema, references: References) -> list[Part]:
    """The parts of a schema, which are dictionaries of `references`; those that say nothing are
    left out."""
    found: list[Part] = []
    pending = [schema]
    while pending:
        each = pending.pop(0)
        if not isinstance(each, dict) or any(each is other for other in found):
            continue
        found.append(each)
        if "$ref" in each:
            pending.append(references.target(each))
        if isinstance(every := each.get("allOf"), list):
            pending += every
    return found


def first(parts: list[Part], keyword: str) -> Any:
    """What the first part with this keyword says."""
    return next((part[keyword] for part in parts if keyword in part), None)


def types_of(parts: list[Part]) -> list[str]:
    """The types that all parts allow, in a fixed order; all of them if the schema says nothing."""
    allowed = set(TYPES)
    for part in parts:
        if "type" in part:
            named = part["type"] if isinstance(part["type"], list) else [part["type"]]
            own = set(named) | ({"integer"} if "number" in named else set())
            allowed &= own
        if (values := _values(part)) is not None:
            allowed &= {kind for value in values for kind in _types_of_value(value)}
    if "number" in allowed:
        allowed.discard("integer")
    return [kind for kind in TYPES if kind in allowed]


def values_of(parts: list[Part]) -> list[Any] | None:
    """The values of the first `const` or `enum`."""
    return next((values for part in parts if (values := _values(part)) is not None), None)


def _values(part: Part) -> list[Any] | None:
    if "const" in part:
        return [part["const"]]
    return part["enum"] if isinstance(part.get("enum"), list) else None


def _types_of_value(value: Any) -> tuple[str, ...]:
    match value:
        case None:
            return ("null",)
        case bool():
            return ("boolean",)
        case int():
            return ("integer", "number")
        case float():
            return ("number", "integer") if value.is_integer() else ("number",)
        case str():
            return ("string",)
        case list():
            return ("array",)
        case _:
            return ("object",)


@dataclass(frozen=True, slots=True)
class Members:
    """The members of an object."""

    properties: dict[str, Schema]
    required: list[str]
    others: list[Schema] | None
    """Members that are not named match one of these; anything if this is None."""
    are_closed: bool
    """Whether there are no others."""


def members_of(parts: list[Part]) -> Members:
    properties: dict[str, Schema] = {}
    required: dict[str, None] = {}
    others: list[Schema] | None = None
    are_closed = False
    for part in parts:
        for name, schema in part.get("properties", {}).items():
            if properties.get(name) in (None, True, {}):
                properties[name] = schema
        required |= dict.fromkeys(part.get("required", ()))
        additional = part.get("additionalProperties", True)
        patterns = list(part.get("patternProperties", {}).values())
        if additional is False and not patterns:
            are_closed = True
        elif others is None and additional not in (True, {}):
            others = patterns if additional is False else [*patterns, additional]
    properties = {name: schema for name, schema in properties.items() if schema is not False}
    return Members(properties, [*required], None if are_closed else others, are_closed)


def items_of(parts: list[Part]) -> list[Schema] | None:
    """Each item of an array matches one of these; None if it may be anything."""
    for part in parts:
        rest = part.get("items", True)
        if rest not in (True, {}):
            first_ones = part.get("prefixItems", [])
            return [*first_ones, *([] if rest is False else [rest])]
    return None


def alternatives_of(parts: list[Part]) -> list[Schema] | None:
    """The branches of an `anyOf` or `oneOf` that say more than what is required."""
    for part in parts:
        for keyword in ("oneOf", "anyOf"):
            branches = part.get(keyword)
            if isinstance(branches, list) and any(_says_something(each) for each in branches):
                return [each for each in branches if each is not False]
    return None


def _says_something(branch: Schema) -> bool:
    silent = {"required", "title", "description", "not", "$comment", "if", "then", "else"}
    return isinstance(branch, dict) and bool(set(branch) - silent)
