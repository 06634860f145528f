"""Metrics in the format of Prometheus, of all processes of the service together.

Each of several workers keeps its metrics in a directory (PROMETHEUS_MULTIPROC_DIR, which `stuff
serve` creates); the worker that answers a request for `/metrics` adds them up.
https://prometheus.io/docs/practices/naming/
"""

import os
import platform
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Metric,
    generate_latest,
    multiprocess,
)
from prometheus_client.registry import Collector

from service import __version__
from service.observability.processes import WorkerProcesses, is_alive, recorded_processes

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
COUNTS = (1, 2, 4, 8, 16, 32, 64, 128, 1024)

_refreshers: list[Callable[[], None]] = []


def before_reading(refresh: Callable[[], None]) -> None:
    """Have this called before the metrics are read, so that it brings some up to date."""
    _refreshers.append(refresh)


class _Refreshing(Collector):
    """Has no metrics, but is asked before those that were registered later."""

    def collect(self) -> Iterable[Metric]:
        for refresh in _refreshers:
            refresh()
        return ()


REGISTRY.register(_Refreshing())

requests = Counter(
    "stuff_requests_total", "Responses begun, by route and status.", ["method", "route", "status"]
)
request_seconds = Histogram(
    "stuff_request_duration_seconds",
    "Time from a request to the start of its response.",
    ["method", "route"],
    buckets=SECONDS,
)
in_flight = Gauge("stuff_requests_in_flight", "Requests in flight.", multiprocess_mode="livesum")
refused = Counter(
    "stuff_requests_refused_total", "Requests refused because too many were in flight."
)
problems = Counter(
    "stuff_problems_total", "Problems sent, by the name at the end of their type.", ["type"]
)
database_up = Gauge(
    "stuff_database_up",
    "1 while there is a primary that the service can use, else 0; of several workers, the lowest.",
    multiprocess_mode="livemin",
)
database_connections = Gauge(
    "stuff_database_connections_in_use",
    "Connections to the database on which an operation is under way.",
    multiprocess_mode="livesum",
)
batch_documents = Histogram(
    "stuff_batch_documents", "Documents per round trip to the database.", ["kind"],
    buckets=COUNTS,
)  # fmt: skip
round_trip_seconds = Histogram(
    "stuff_round_trip_duration_seconds", "Time of a round trip to the database.", ["kind"],
    buckets=SECONDS,
)  # fmt: skip
feed_subscribers = Gauge(
    "stuff_feed_subscribers", "Clients that follow the feed.", multiprocess_mode="livesum"
)
feed_lag = Gauge(
    "stuff_feed_lag_seconds",
    "Time from the last change until the feed received it, in whole seconds.",
    multiprocess_mode="livemax",
)
feed_silence = Gauge(
    "stuff_feed_silence_seconds",
    "Time since a change stream that is followed last answered, with changes or without; of "
    "several, the longest.",
    multiprocess_mode="livemax",
)
feed_changes = Counter("stuff_feed_changes_total", "Changes that the feed has delivered.")
feed_dropped = Counter(
    "stuff_feed_dropped_total", "Subscribers dropped because they were too slow."
)
build = Gauge(
    "stuff_build_info",
    "Always 1. The labels are the versions of the service and of Python.",
    ["version", "python"],
    multiprocess_mode="livemax",
)
build.labels(__version__, platform.python_version()).set(1)


def are_shared() -> bool:
    """Whether there are several workers."""
    return DIRECTORY in os.environ


def exposition() -> bytes:
    """The metrics of all processes."""
    if not are_shared():
        return generate_latest(REGISTRY)
    for refresh in _refreshers:
        refresh()
    directory = Path(os.environ[DIRECTORY])
    for pid in recorded_processes(directory):
        if not is_alive(pid):  # killed, so that it could not remove its gauges
            multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    registry.register(WorkerProcesses(directory))
    return generate_latest(registry)


@contextmanager
def shared(workers: int) -> Iterator[None]:
    """A directory where several workers keep their metrics while the service runs."""
    if workers == 1:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="stuff-metrics-") as directory:
        os.environ[DIRECTORY] = directory
        try:
            yield
        finally:
            del os.environ[DIRECTORY]


@contextmanager
def counted_process() -> Iterator[None]:
    """In a worker: remove its gauges when it stops."""
    try:
        yield
    finally:
        if are_shared():
            multiprocess.mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]
