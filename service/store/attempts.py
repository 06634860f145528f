"""How often a write is tried when others write the same document at the same time."""

import random
from collections.abc import Iterator

MAX_ATTEMPTS = 100


def delays() -> Iterator[float]:
    """Seconds to wait after each attempt: exponential backoff with jitter."""
    for attempt in range(MAX_ATTEMPTS):
        yield random.uniform(0, min(0.001 * 2**attempt, 0.05))  # noqa: S311 (no secret)
