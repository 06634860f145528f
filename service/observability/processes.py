"""The `process_*` metrics of several workers: processor time, memory, open files."""

import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from prometheus_client import ProcessCollector
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector


def recorded_processes(directory: Path) -> set[int]:
    """The ids of the processes that keep their gauges in the directory."""
    return {int(file.stem.rpartition("_")[2]) for file in directory.glob("gauge_live*_*.db")}


class WorkerProcesses(Collector):
    """What `prometheus_client` tells of a process, for each worker, under the label `pid`.

    Not summed: the sum of processor times falls when a worker is replaced, and Prometheus would
    take that for a restart and count all the others' time again.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for pid in sorted(recorded_processes(self._directory)):
            for found in ProcessCollector(pid=partial(int, pid), registry=None).collect():
                family = families.setdefault(
                    found.name, Metric(found.name, found.documentation, found.type)
                )
                for sample in found.samples:
                    family.add_sample(sample.name, {"pid": str(pid)}, sample.value)
        return families.values()


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
