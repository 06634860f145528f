"""JSON Merge Patch (RFC 7396)."""

from collections.abc import Generator
from typing import Any

from service.documents import codec, strict_json


class MergePatch:
    """A JSON Merge Patch: its members are set, or removed if null; the rest stays.

    Keeps its text and parses it again when it is applied, as `JsonPatch` does.
    """

    reads = False

    def __init__(self, body: bytes) -> None:
        strict_json.loads(body)
        self._body = body
        self.size = len(body)

    def apply(self, values: dict[str, Any]) -> Generator[None, None, Any]:
        patch = strict_json.parse(self._body)
        yield
        return _merge(values, patch)


def _merge(target: Any, patch: Any) -> Any:
    """`MergePatch` of RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    if codec.is_foreign(target):
        target = codec.Foreign(target)
    elif not isinstance(target, dict):
        target = {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        elif isinstance(value, dict):
            target[name] = _merge(target.get(name), value)
        else:
            target[name] = value
    return target
