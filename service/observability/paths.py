"""The path of a request, as routes know it."""

from collections.abc import Mapping
from typing import Any


def path_of(scope: Mapping[str, Any]) -> str:
    """The path without the prefix at a reverse proxy (`STUFF_ROOT_PATH`), which ASGI includes."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))
