"""The parts of a schema that say something of values which their path does not tell from others."""

from collections.abc import Iterator
from typing import Any

from service.documents.published.references import LISTS, SINGLE, References, Schema

_MAPS = ("properties", "patternProperties", "dependentSchemas")
"""Without `$defs`, which say nothing by themselves."""


def undecided(schema: dict[str, Any], references: References) -> Iterator[tuple[str, Schema]]:
    """The schemas below which no type can be told from the path, each with its keyword."""
    for keyword in (
        "contains", "if", "not", "propertyNames", "unevaluatedItems", "unevaluatedProperties",
    ):  # fmt: skip
        if keyword in schema:
            yield keyword, schema[keyword]
    for keyword, rest in (("patternProperties", "additionalProperties"), ("prefixItems", "items")):
        some = schema.get(keyword, {})
        for each in some.values() if isinstance(some, dict) else some:
            yield keyword, each
        if some and rest in schema:
            yield f"{rest} beside {keyword}", schema[rest]
    if "$dynamicRef" in schema:
        yield "$dynamicRef", references.target(schema, "$dynamicRef")
        for each in references.known:
            if "$dynamicAnchor" in each:
                yield "$dynamicRef", each


def find_keyword(
    keyword: str, schema: Schema | None, references: References
) -> dict[str, Any] | None:
    """The first schema with this keyword, among this one and all that it leads to."""
    seen: set[int] = set()
    pending = [schema]
    while pending:
        each = pending.pop()
        if not isinstance(each, dict) or id(each) in seen:
            continue
        if keyword in each:
            return each
        seen.add(id(each))
        if "$ref" in each:
            pending.append(references.target(each))
        pending += [below for name in LISTS for below in each.get(name, ())]
        pending += [below for name in _MAPS for below in each.get(name, {}).values()]
        pending += [each[name] for name in SINGLE if name in each]
    return None
