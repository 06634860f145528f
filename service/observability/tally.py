"""Requests, counted in plain numbers: those of prometheus-client lock, and those of several workers
are in files, so that four of them would cost a request 2 to 5 µs. They are brought up to date when
they are read, and by several workers each second, since any of them may be asked.
"""

import asyncio
from bisect import bisect_left
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakSet

from service.observability import metrics
from service.observability.metrics import SECONDS

INTERVAL = 1.0  # seconds


class Tally:
    """The requests of one application."""

    def __init__(self) -> None:
        self.in_flight = 0
        self._series: dict[tuple[str, str, int], _Series] = {}
        _tallies.add(self)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a response that has begun, so many seconds after its request arrived."""
        series = self._series.get((method, route, status))
        if series is None:
            series = self._series[method, route, status] = _Series(method, route, status)
        series.seconds += seconds
        series.counts[bisect_left(SECONDS, seconds)] += 1

    def publish(self) -> None:
        """Add what was counted since to the metrics."""
        for series in self._series.values():
            series.publish()


class _Series:
    """The responses with one status to the requests of one route and method."""

    __slots__ = ("_counter", "_timer", "counts", "seconds")

    def __init__(self, method: str, route: str, status: int) -> None:
        # Looking up labels costs more than counting.
        self._counter = metrics.requests.labels(method, route, str(status))
        self._timer = metrics.request_seconds.labels(method, route)
        self.seconds = 0.0
        self.counts = [0] * (len(SECONDS) + 1)
        """By the bounds of their seconds; the last ones took longer."""

    def publish(self) -> None:
        total = sum(self.counts)
        if not total:
            return
        counts, seconds = self.counts, self.seconds
        self.counts, self.seconds = [0] * len(counts), 0.0
        self._counter.inc(total)
        self._timer._sum.inc(seconds)  # `observe` adds one by one
        for bucket, count in zip(self._timer._buckets, counts, strict=True):
            bucket.inc(count)


_tallies = WeakSet[Tally]()


def publish() -> None:
    """Bring the metrics of requests up to date."""
    for tally in list(_tallies):
        tally.publish()
    metrics.in_flight.set(sum(tally.in_flight for tally in _tallies))


metrics.before_reading(publish)


@asynccontextmanager
async def published() -> AsyncIterator[None]:
    """Keep them up to date for other workers, if there are any, and at the end."""
    task = asyncio.create_task(_publish_often()) if metrics.are_shared() else None
    try:
        yield
    finally:
        if task is not None:
            task.cancel()
        publish()


async def _publish_often() -> None:
    while True:
        await asyncio.sleep(INTERVAL)
        publish()
