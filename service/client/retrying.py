"""Retrying while a server is unavailable: exponential backoff with jitter, for a limited time."""

import random
import time

import httpx

from service.client.errors import ServerUnavailable

FIRST_DELAY = 0.25  # seconds, doubled up to:
MAX_DELAY = 5.0


class Retries:
    """The retries of one task, which may make progress between failures."""

    def __init__(self, patience: float) -> None:
        """`patience`: seconds without progress after which to give up."""
        self._patience = patience
        self.reset()

    def reset(self) -> None:
        """Note progress: the next failure counts as the first."""
        self._deadline = time.monotonic() + self._patience
        self._ceiling = FIRST_DELAY

    def delay(self, failure: httpx.TransportError | ServerUnavailable) -> float:
        """Seconds to wait before the next attempt. Raises `ServerUnavailable` to give up."""
        delay = random.uniform(self._ceiling / 2, self._ceiling)  # noqa: S311 (no secret)
        self._ceiling = min(self._ceiling * 2, MAX_DELAY)
        if time.monotonic() + delay > self._deadline:
            # Some errors of httpx have a type, but no text.
            kind = "" if isinstance(failure, ServerUnavailable) else f"{type(failure).__name__}: "
            raise ServerUnavailable(f"The server is unavailable. {kind}{failure}")
        return delay
