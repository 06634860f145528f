"""JSON Merge Patch (RFC 7396)."""

from collections.abc import Generator
from typing import Any

from service.documents import codec, strict_json
from service.errors import InvalidDocument

MEMBERS = 1000
"""Members of a patch that are merged at once: less than a millisecond of work."""


class MergePatch:
    """A JSON Merge Patch: its members are set, or removed if null; the rest stays.

    Keeps its text and parses it again when it is applied, as `JsonPatch` does.
    """

    reads = False

    def __init__(self, body: bytes) -> None:
        """Raises `MalformedJSON`, and `InvalidDocument` for what would leave no document."""
        if not isinstance(strict_json.loads(body), dict):
            raise InvalidDocument("A document is a JSON object, and so is a merge patch of it.")
        self._body = body
        self.size = len(body)

    def apply(self, values: dict[str, Any]) -> Generator[None, None, Any]:
        patch = strict_json.parse(self._body)
        yield
        return (yield from _merge(values, patch))


def _merge(target: Any, patch: Any) -> Generator[None, None, Any]:
    """`MergePatch` of RFC 7396, section 2. Yields after each `MEMBERS` members."""
    if not isinstance(patch, dict):
        return patch
    root = _as_object(target)
    merging = [(root, patch)]
    count = 0
    while merging:
        target, patch = merging.pop()
        for name, value in patch.items():
            if value is None:
                target.pop(name, None)
            elif isinstance(value, dict):
                target[name] = _as_object(target.get(name))
                merging.append((target[name], value))
            else:
                target[name] = value
            count += 1
            if count % MEMBERS == 0:
                yield
    return root


def _as_object(value: Any) -> dict[str, Any]:
    """The value, if it is an object; an empty one otherwise."""
    if codec.is_foreign(value):
        return codec.Foreign(value)
    return value if isinstance(value, dict) else {}
