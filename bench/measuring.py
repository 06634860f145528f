"""One measurement: load from wrk, and what the processes used meanwhile."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psutil

SCRIPT = Path(__file__).with_name("load.lua")


@dataclass(frozen=True)
class Load:
    """What is asked for, by how many at once."""

    method: str
    connections: int = 64
    documents: int = 10_000
    body_bytes: int = 100
    body: str = ""
    """What a PUT sends, with `%d` for a number; without it, a number, a name and a text."""
    if_match: str = ""
    path: str = "/stuff/"
    """What comes before the id."""


@dataclass(frozen=True)
class Result:
    """Times in the unit that the name ends with; CPU time, user and system, is a request's, None
    if the process is not known."""

    rate: float
    p50_ms: float
    p99_ms: float
    service_cpu_us: float | None
    engine_cpu_us: float | None
    memory_mb: float
    errors: int


def measure(
    url: str, load: Load, seconds: float, service: psutil.Process, engine: psutil.Process | None
) -> Result:
    """Load the service at `url`; `service` and `engine` are the roots of their process trees."""
    meters = CpuMeter(service), CpuMeter(engine)
    report = _wrk(url, load, seconds)
    requests = max(int(report["requests"]), 1)
    service_cpu_us, engine_cpu_us = [meter.per(requests) for meter in meters]
    return Result(
        rate=report["requests"] / report["seconds"],
        p50_ms=report["p50_ms"],
        p99_ms=report["p99_ms"],
        service_cpu_us=service_cpu_us,
        engine_cpu_us=engine_cpu_us,
        memory_mb=resident_bytes(service) / 2**20,
        errors=int(report["errors"]),
    )


def middle(results: list[Result]) -> Result:
    """The median of each figure; all errors."""
    rows = [asdict(result) for result in results]
    figures: dict[str, Any] = {name: middle_of([row[name] for row in rows]) for name in rows[0]}
    return Result(**figures | {"errors": sum(row["errors"] for row in rows)})


def middle_of(figures: Sequence[float | None]) -> float | None:
    """The median; None if one of them is not known."""
    known = [figure for figure in figures if figure is not None]
    return median(known) if len(known) == len(figures) else None


class CpuMeter:
    """The CPU time, user and system, that a process tree uses from now on, or since its start."""

    def __init__(self, root: psutil.Process | None, *, since_start: bool = False) -> None:
        self._root = root
        self._start = 0.0 if root is None or since_start else _cpu_seconds(root)

    def per(self, count: int) -> float | None:
        """Microseconds for each of so many; None if the process is not known, for example that of
        a database on another machine."""
        if self._root is None:
            return None
        return (_cpu_seconds(self._root) - self._start) / count * 1e6


def _cpu_seconds(root: psutil.Process) -> float:
    times = [process.cpu_times() for process in _tree(root)]
    return float(sum(time.user + time.system for time in times))


def resident_bytes(root: psutil.Process) -> int:
    return int(sum(process.memory_info().rss for process in _tree(root)))


def _tree(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def _wrk(url: str, load: Load, seconds: float) -> dict[str, float]:
    wrk = shutil.which("wrk")
    if wrk is None:
        raise SystemExit("bench: install wrk (Debian: apt-get install wrk)")
    command = [wrk, "--threads", "1", "--connections", str(load.connections), "--timeout", "30s"]
    command += ["--duration", f"{max(1, round(seconds))}s", "--script", str(SCRIPT), url]
    environment = os.environ | {
        "METHOD": load.method,
        "DOCUMENTS": str(load.documents),
        "BODY_BYTES": str(load.body_bytes),
        "BODY": load.body,
        "IF_MATCH": load.if_match,
        "PATH_OF_IDS": load.path,
    }
    finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    report: dict[str, float] = json.loads(finished.stdout.splitlines()[-1])
    return report
