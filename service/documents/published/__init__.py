"""The schemas of a collection that are published for generators of clients.

They are only weaker than the schema that validates: whatever is stored matches them. What
generators cannot express is left out (`if`, `not`, `contains`, `dependentSchemas`,
`unevaluatedProperties`, `pattern`, ...), unions are what their branches have in common, and each
object with properties has a name: `BookAuthor`.

JSON Schema 2020-12: https://json-schema.org/draft/2020-12/json-schema-core
"""

from collections.abc import Iterator, Mapping
from typing import Any

from service.documents.published.names import Names
from service.documents.published.publisher import PatchPublisher, Publisher
from service.documents.published.references import References, Schema
from service.documents.published.values import Published

__all__ = ["publish", "published_names"]

ROOTS = ("", "Fields", "Patch", "Created")
PAGE = "Page"


def publish(
    name: str, schema: Schema, documents: Mapping[str, Schema], own: dict[str, Published]
) -> dict[str, Published]:
    """The components of a collection, by their names: `Book` is a document, `BookFields` what is
    sent, `BookPatch` a merge patch (RFC 7396), `BookCreated` what a creation answers, and what they
    refer to.

    `own` are the properties of documents that are not fields: `_id`, and what is optional.
    `documents` are the files that the schema refers to, by their addresses.
    """
    references = References(schema, documents)
    names = Names([name + suffix for suffix in (*ROOTS, PAGE)])
    publisher = Publisher(references, names, name)
    publisher.root(schema, f"{name}Fields")
    publisher.root(schema, name, own, ("_id",))
    PatchPublisher(references, names, name, publisher).root(schema, f"{name}Patch")
    names.define(f"{name}Created", _created(names.components[name]))
    return _reachable(names.components, [name + suffix for suffix in ROOTS])


def published_names(name: str, schema: Schema, documents: Mapping[str, Schema]) -> list[str]:
    """The names of all components of a collection, in no order; no other one may have them."""
    return [*publish(name, schema, documents, {"_id": {"type": "string"}}), name + PAGE]


def _created(document: Published) -> Published:
    """The id of a new document, and perhaps all else: only the id is required."""
    if "properties" not in document:
        return {"type": "object", "additionalProperties": True}
    text = "The id of a new document; its fields too, if `return=representation` is preferred."
    return {
        "type": "object",
        "properties": document["properties"],
        "required": ["_id"],
        "additionalProperties": True,
        "description": text,
    }


def _reachable(components: dict[str, Published], roots: list[str]) -> dict[str, Published]:
    """The components that these refer to, and themselves."""
    found: dict[str, Published] = {}
    pending = list(roots)
    while pending:
        name = pending.pop()
        if name in components and name not in found:
            found[name] = components[name]
            pending += _references(components[name])
    return found


def _references(published: Any) -> Iterator[str]:
    if isinstance(published, dict):
        if isinstance(reference := published.get("$ref"), str):
            yield reference.rpartition("/")[2]
        for each in published.values():
            yield from _references(each)
    elif isinstance(published, list):
        for each in published:
            yield from _references(each)
