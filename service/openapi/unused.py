"""What nothing in the OpenAPI document refers to: where `stuff` has a schema, its plain types."""

from collections.abc import Iterator
from typing import Any

_SCHEMAS = "#/components/schemas/"


def drop_unused(document: dict[str, Any]) -> None:
    """Take out the tags and the schemas that no operation uses."""
    used = {
        tag
        for operations in document["paths"].values()
        for operation in operations.values()
        for tag in operation["tags"]
    }
    document["tags"] = [tag for tag in document["tags"] if tag["name"] in used]
    schemas = document["components"]["schemas"]
    while unused := schemas.keys() - {*_references(document)}:
        for name in unused:
            del schemas[name]


def _references(node: Any) -> Iterator[str]:
    """The names of the schemas to which it refers anywhere."""
    pending = [node]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            reference = each.get("$ref")
            if isinstance(reference, str) and reference.startswith(_SCHEMAS):
                yield reference.removeprefix(_SCHEMAS)
            pending += each.values()
        elif isinstance(each, list):
            pending += each
