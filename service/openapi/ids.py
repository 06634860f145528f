"""The ids of a collection in the description of its operations."""

from collections.abc import Iterator
from typing import Any

from service.documents.ids import TEXT, Ids


def schema_of(ids: Ids) -> dict[str, Any]:
    """The JSON Schema of an id in a document."""
    return {"type": "string", "description": "The document's id.", **ids.schema}


def describe_ids(operation: dict[str, Any], ids: Ids) -> None:
    """Describe an operation of a collection whose ids are no text."""
    for each in operation.get("parameters", ()):
        if (each["in"], each["name"]) == ("path", "id"):
            each["description"] = ids.rule
            each["schema"] = {"title": "Id", "type": "string", **ids.schema}
            each["examples"] = {"usual": {"value": ids.examples[0]}}
    for holder in (operation, *operation["responses"].values()):
        holder["description"] = holder["description"].replace(TEXT.made, ids.made)
    for holder in _holders(operation):
        if "example" in holder:
            holder["example"] = _example(holder["example"], ids)


def _holders(value: Any) -> Iterator[dict[str, Any]]:
    """All objects in the description that may have an example."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _holders(each)
    elif isinstance(value, list):
        for each in value:
            yield from _holders(each)


def _example(example: Any, ids: Ids) -> Any:
    """The example with ids of the collection: a text, a document, or a page."""
    if isinstance(example, str):
        for usual, own in zip(TEXT.examples, ids.examples, strict=True):
            example = example.replace(f'"{usual}"', f'"{own}"').replace(f"/{usual}", f"/{own}")
    elif isinstance(example, dict):
        if example.get("_id") in TEXT.examples:
            return example | {"_id": ids.examples[0]}
        if "items" in example:
            return example | {"items": [_example(each, ids) for each in example["items"]]}
    return example
