"""An example of a value, made from its published schema."""

from collections.abc import Mapping
from typing import Any

from service.documents.published.values import Published

_DEPTH = 5
_BY_FORMAT = {
    "date-time": "2026-11-23T12:00:00Z",
    "date": "2026-11-23",
    "uuid": "0190a0b0-7c3e-7d64-9f2e-3b1f5d8c2a10",
    "uri": "https://example.com/",
    "email": "ada@example.com",
}


def example_of(published: Published, components: Mapping[str, Published], depth: int = 0) -> Any:
    """A value that matches the schema; what may be left out is, below some levels."""
    if "$ref" in published:
        name = published["$ref"].rpartition("/")[2]
        return example_of(components.get(name, {}), components, depth)
    if published.get("examples"):
        return published["examples"][0]
    if "enum" in published:
        return published["enum"][0]
    if "anyOf" in published:
        return example_of(published["anyOf"][0], components, depth)
    types = published.get("type", "null")
    match types[0] if isinstance(types, list) else types:
        case "object":
            required = published.get("required", ())
            return {
                name: example_of(member, components, depth + 1)
                for name, member in published.get("properties", {}).items()
                if name in required or depth < _DEPTH
            }
        case "array":
            count = max(published.get("minItems", 0), int(depth < _DEPTH))
            return [example_of(published["items"], components, depth + 1)] * count
        case "string":
            text = _BY_FORMAT.get(published.get("format", ""), "text")
            return text.ljust(published.get("minLength", 0), ".")[: published.get("maxLength")]
        case "integer" | "number":
            return max(published.get("minimum", 1), min(1, published.get("maximum", 1)))
        case "boolean":
            return True
    return None
