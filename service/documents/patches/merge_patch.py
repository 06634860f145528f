"""JSON Merge Patch (RFC 7396)."""

from typing import Any

from service.documents import strict_json


class MergePatch:
    """A JSON Merge Patch: its members are set, or removed if null; the rest stays."""

    reads = False

    def __init__(self, body: bytes) -> None:
        self._patch = strict_json.loads(body)

    def apply(self, values: dict[str, Any]) -> Any:
        return _merge(values, self._patch)


def _merge(target: Any, patch: Any) -> Any:
    """`MergePatch` of RFC 7396, section 2."""
    if not isinstance(patch, dict):
        return patch
    if not isinstance(target, dict):
        target = {}
    for name, value in patch.items():
        if value is None:
            target.pop(name, None)
        else:
            target[name] = _merge(target.get(name), value)
    return target
