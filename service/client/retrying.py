"""Retrying while a server is unavailable: exponential backoff with jitter, for a limited time."""

import random
import time
from collections.abc import Callable

import httpx

from service.client.errors import ServerUnavailable
from service.client.http import origin, reason

FIRST_DELAY = 0.25  # seconds, doubled up to:
MAX_DELAY = 5.0


class Retries:
    """The retries of one task, which may make progress between failures."""

    def __init__(self, patience: float, on_wait: Callable[[str], None] = lambda _: None) -> None:
        """`patience`: seconds without progress after which to give up. `on_wait` is called with
        the cause when the first retry after progress is due."""
        self._patience = patience
        self._on_wait = on_wait
        self.reset()

    def reset(self) -> None:
        """Note progress: the next failure counts as the first."""
        self._deadline = time.monotonic() + self._patience
        self._ceiling = FIRST_DELAY

    def delay(self, failure: httpx.TransportError | ServerUnavailable) -> float:
        """Seconds to wait before the next attempt. Raises `ServerUnavailable` to give up."""
        is_first = self._ceiling == FIRST_DELAY
        delay = random.uniform(self._ceiling / 2, self._ceiling)  # noqa: S311 (no secret)
        self._ceiling = min(self._ceiling * 2, MAX_DELAY)
        if time.monotonic() + delay > self._deadline:
            raise ServerUnavailable(_described(failure))
        if is_first:
            self._on_wait(_described(failure))
        return delay


def _described(failure: httpx.TransportError | ServerUnavailable) -> str:
    if isinstance(failure, ServerUnavailable):
        return f"The server is unavailable. {failure}"
    return f"{origin(failure.request)} does not answer: {reason(failure)}."
