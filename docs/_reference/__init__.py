"""The pages of the reference, made from the code, so that they cannot drift from it.

`python -m docs._reference` writes them into `docs/reference/`; a test compares them.
"""

from collections.abc import Callable
from pathlib import Path

from docs._reference import collections, commands, feed, http, metrics, problems, query, settings

FOLDER = Path(__file__).parent.parent / "reference"

PAGES: dict[str, Callable[[], str]] = {
    "http.md": http.page,
    "query.md": query.page,
    "feed.md": feed.page,
    "problems.md": problems.page,
    "settings.md": settings.page,
    "collections.md": collections.page,
    "collections.schema.json": collections.schema,
    "command-line.md": commands.page,
    "metrics.md": metrics.page,
}
"""What makes each page, by its name in `docs/reference/`."""
