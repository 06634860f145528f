"""JSON as people write it: what is short stays in one line."""

import json
from typing import Any

WIDTH = 100


def written(value: Any, indent: str = "", before: int = 0) -> str:
    """The value as JSON; its first line comes after `before` characters, the others after
    `indent`."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(line) + before <= WIDTH:
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        names = [f"{json.dumps(name, ensure_ascii=False)}: " for name in value]
        parts = [
            name + written(each, inner, len(inner) + len(name))
            for name, each in zip(names, value.values(), strict=True)
        ]
        opening, closing = "{", "}"
    else:
        parts = [written(each, inner, len(inner)) for each in value]
        opening, closing = "[", "]"
    return f"{opening}\n" + ",\n".join(inner + each for each in parts) + f"\n{indent}{closing}"
