"""The values that update operators store. There may be millions: compiled code looks at them."""

from typing import Any

import orjson

from service.documents import json_faults
from service.documents.json_faults import MAX_DEPTH, MAX_SEARCHED
from service.documents.updates.paths import Place
from service.errors import InvalidPatch


def check_value(value: Any, level: int, place: Place) -> None:
    """Raise `InvalidPatch` if the value has a key that starts with `$`, or is nested too deep where
    it is stored: below `level` objects and arrays."""
    if not isinstance(value, dict | list):
        return
    text = orjson.dumps(value)
    if (
        text.count(b"[") + text.count(b"{") > MAX_DEPTH - level
        and json_faults.find_deep_nesting(text, MAX_DEPTH - level) is not None
    ):
        raise InvalidPatch(
            f"With its path the value is nested more than {MAX_DEPTH} levels deep. Flatten it.",
            place,
        )
    if b'"$' in text and (offset := json_faults.find_key_with_dollar(text)) is not None:
        path = json_faults.path_of_key(text, offset) if offset <= MAX_SEARCHED else []
        raise InvalidPatch(
            "A value has no keys that start with '$'. Rename the key, or use another kind of "
            "patch.",
            [*place, *path],
        )
