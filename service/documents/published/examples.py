"""Examples of documents, made from the schema that validates."""

from collections.abc import Callable, Collection, Iterator
from typing import Any

from jsonschema_rs import Draft202012Validator, RegexOptions

from service.documents.published.references import References, Schema
from service.documents.published.shapes import (
    Part,
    alternatives_of,
    first,
    items_of,
    members_of,
    parts_of,
    types_of,
    values_of,
)
from service.errors import json_pointer

_DEPTH = 5
_CHOICES = 4
"""How many alternatives of each union are tried."""
_TEXT = "text"
_BY_FORMAT = {
    "date-time": "2026-11-23T12:00:00Z",
    "date": "2026-11-23",
    "time": "12:00:00Z",
    "duration": "P1D",
    "uuid": "0190a0b0-7c3e-7d64-9f2e-3b1f5d8c2a10",
    "uri": "https://example.com/",
    "iri": "https://example.com/",
    "uri-reference": "https://example.com/",
    "email": "ada@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
}
_BY_TYPE = {
    "date": "2026-11-23T12:00:00Z",
    "objectid": "65f0c0ffee65f0c0ffee65f0",
    "decimal": "12.50",
    "binary": "c3R1ZmY=",
    "uuid": "0190a0b0-7c3e-7d64-9f2e-3b1f5d8c2a10",
}
_COMMON = (
    *_BY_FORMAT.values(),
    *("A1", "a1", "AB-12", "AB-1234", "ab-cd", "en-GB", "1.0.0", "v1.0.0", "12:00", "12.50"),
    *("#00ff00", "#00FF00", "+41441234567", "978-3-16-148410-0", "2026-11", "Ada", "Ada Lovelace"),
)
"""Texts as many patterns want them."""


def example_of(
    schema: Schema, references: References, faults: Callable[[Any], Collection[str]]
) -> dict[str, Any]:
    """A document that fits the schema; if none is found, the one with the fewest faults.

    `faults` returns the JSON Pointers of the faults of a document.
    """
    best: dict[str, Any] = {}
    fewest: int | None = None
    for choice in range(_CHOICES):
        for depth in (_DEPTH, 0):
            made = _Maker(references, choice, depth).value(schema, 0)
            document = made if isinstance(made, dict) else {}
            found = faults(document)
            if not found:
                return document
            # Optional members with a fault, such as a text that is hard to guess, are left out.
            document = {key: value for key, value in document.items() if not _is_in(key, found)}
            count = len(faults(document))
            if count == 0:
                return document
            if fewest is None or count < fewest:
                best, fewest = document, count
    return best


def _is_in(key: str, pointers: Collection[str]) -> bool:
    own = json_pointer([key])
    return any(pointer == own or pointer.startswith(f"{own}/") for pointer in pointers)


class _Maker:
    """Makes values. Members that are not required are left out below some level of depth."""

    def __init__(self, references: References, choice: int, depth: int) -> None:
        """`choice` is which alternative of a union is taken."""
        self._references = references
        self._choice = choice
        self._depth = depth

    def value(self, schema: Schema, level: int) -> Any:
        parts = self._parts(schema)
        examples = first(parts, "examples")
        if isinstance(examples, list) and examples:
            return examples[0]
        if (default := first(parts, "default")) is not None:
            return default
        if values := values_of(parts):
            return values[min(self._choice, len(values) - 1)]
        types = [kind for kind in types_of(parts) if kind != "null"]
        match types[0] if types else "null":
            case "object":
                return self._object(parts, level)
            case "array":
                return self._array(parts, level)
            case "string":
                return _text(parts)
            case "integer" | "number" as kind:
                return _number(parts, whole=kind == "integer")
            case "boolean":
                return True
        return None

    def _parts(self, schema: Schema) -> list[Part]:
        """The parts of the schema, and of one alternative of each of its unions."""
        found = parts_of(schema, self._references)
        for _ in range(_DEPTH):
            branches = alternatives_of(found)
            if not branches:
                break
            chosen = parts_of(branches[self._choice % len(branches)], self._references)
            found = [_without_union(part) for part in found] + chosen
        return found

    def _object(self, parts: list[Part], level: int) -> dict[str, Any]:
        members = members_of(parts)
        if level > 2 * _DEPTH:  # a schema that requires itself
            return {}
        names = [
            name for name in members.properties if level < self._depth or name in members.required
        ]
        names += [name for name in members.required if name not in members.properties]
        return {name: self.value(members.properties.get(name, True), level + 1) for name in names}

    def _array(self, parts: list[Part], level: int) -> list[Any]:
        if level > 2 * _DEPTH:
            return []
        items = items_of(parts) or [True]
        least = first(parts, "minItems") or 0
        count = max(int(least), int(level < self._depth and first(parts, "maxItems") != 0))
        return [
            self.value(items[min(index, len(items) - 1)], level + 1)
            for index in range(min(count, 10))
        ]


def _without_union(part: Part) -> Part:
    return {keyword: said for keyword, said in part.items() if keyword not in ("oneOf", "anyOf")}


def _text(parts: list[Part]) -> str:
    if (kind := first(parts, "x-bson")) in _BY_TYPE:
        return _BY_TYPE[kind]
    if (form := first(parts, "format")) in _BY_FORMAT:
        return _BY_FORMAT[form]
    least, most = first(parts, "minLength") or 0, first(parts, "maxLength")
    patterns = [part["pattern"] for part in parts if isinstance(part.get("pattern"), str)]
    text = _TEXT.ljust(int(least), ".")[: None if most is None else int(most)]
    if not patterns:
        return text
    wanted = {"minLength": least, "allOf": [{"pattern": pattern} for pattern in patterns]}
    if most is not None:
        wanted["maxLength"] = most
    fits = Draft202012Validator(wanted, pattern_options=RegexOptions()).is_valid
    return next((each for each in _texts() if fits(each)), text)


def _texts() -> Iterator[str]:
    yield from _COMMON
    for sample in ("1234567890", "abcdefghij", "ABCDEFGHIJ"):
        for length in range(1, 41):
            yield (sample * 4)[:length]


def _number(parts: list[Part], *, whole: bool) -> float:
    least, most = first(parts, "minimum"), first(parts, "maximum")
    above, below = first(parts, "exclusiveMinimum"), first(parts, "exclusiveMaximum")
    step = first(parts, "multipleOf")
    number: float = 1
    if least is not None:
        number = max(number, least)
    if above is not None and number <= above:
        number = above + 1
    if most is not None:
        number = min(number, most)
    if below is not None and number >= below:
        number = below - 1
    if step:
        number = -(-number // step) * step
    return int(number) if whole or float(number).is_integer() else number
