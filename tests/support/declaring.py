"""Files that declare collections."""

import json
from pathlib import Path
from typing import Any


def declare(folder: Path, **collections: dict[str, Any]) -> Path:
    """A file that declares these collections."""
    file = folder / "collections.json"
    file.write_text(json.dumps({"version": 1, "collections": collections}))
    return file
