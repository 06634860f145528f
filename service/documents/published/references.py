"""Which schema a `$ref` means: JSON Schema 2020-12, core, sections 8.2 and 9.1."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote, urldefrag, urljoin

Schema: TypeAlias = dict[str, Any] | bool

LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
MAPS = ("$defs", "definitions", "properties", "patternProperties", "dependentSchemas")
SINGLE = (
    "additionalProperties", "items", "not", "if", "then", "else", "contains", "propertyNames",
    "unevaluatedItems", "unevaluatedProperties",
)  # fmt: skip


class References:
    """All schemas of a declaration by their addresses.

    The base of a schema, on which its `$ref`s depend, is looked up by its identity: the schemas
    must not be copied.
    """

    def __init__(self, schema: Schema, documents: Mapping[str, Schema]) -> None:
        """`documents` are the files that may be referred to, by their addresses, which are
        relative to that of `schema`."""
        self._bases: dict[int, str] = {}
        self._targets: dict[str, Schema] = {}
        self.known: list[dict[str, Any]] = []
        """All schemas, as far as keywords lead to them."""
        for address, document in [("", schema), *documents.items()]:
            self._targets.setdefault(address, document)
            self._index(document, address)

    def target(self, schema: dict[str, Any], keyword: str = "$ref") -> Schema:
        """What the reference of this schema means; if that is unknown, any value."""
        reference = schema.get(keyword)
        if not isinstance(reference, str):
            return True
        address, fragment = urldefrag(urljoin(self._bases.get(id(schema), ""), reference))
        if reference.startswith("#"):
            address = self._bases.get(id(schema), "")
        if fragment and not fragment.startswith("/"):
            return self._targets.get(f"{address}#{fragment}", True)
        found: Any = self._targets.get(address, True)
        for part in unquote(fragment).split("/")[1:]:
            key = part.replace("~1", "/").replace("~0", "~")
            if isinstance(found, dict):
                found = found.get(key, True)
            elif isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            else:
                return True
        if not isinstance(found, dict | bool):
            return True
        self._index(found, address)  # it may be where no keyword leads to
        return found

    def _index(self, schema: Schema, base: str) -> None:
        pending = [(schema, base)]
        while pending:
            each, base = pending.pop()
            if not isinstance(each, dict) or id(each) in self._bases:
                continue
            if isinstance(own := each.get("$id"), str):
                base = urldefrag(urljoin(base, own)).url
                self._targets.setdefault(base, each)
            for anchor in ("$anchor", "$dynamicAnchor"):
                if isinstance(name := each.get(anchor), str):
                    self._targets.setdefault(f"{base}#{name}", each)
            self._bases[id(each)] = base
            self.known.append(each)
            pending += [(below, base) for below in _subschemas(each)]


def _subschemas(schema: dict[str, Any]) -> Iterator[Schema]:
    for keyword in LISTS:
        if isinstance(schemas := schema.get(keyword), list):
            yield from schemas
    for keyword in MAPS:
        if isinstance(named := schema.get(keyword), dict):
            yield from named.values()
    for keyword in SINGLE:
        if isinstance(single := schema.get(keyword), dict):
            yield single
