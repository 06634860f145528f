"""What it costs to move a whole collection, and to read a page far behind."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import zip_longest
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

import httpx
import psutil
from bson import json_util

from bench import servers
from bench.measuring import CpuMeter, Load, Result, middle_of, resident_bytes
from bench.plan import Bench
from bench.report import Record
from service.documents.query import encode_cursor, parse_sort

LINE_BYTES = 300
PAGE_SIZE = 10
# The embedded engine sorts a collection before it sends the first document of it.
PATIENT = {"STUFF_OPERATION_TIMEOUT": "300", "STUFF_QUERY_TIMEOUT": "300"}


def transfer(bench: Bench) -> Iterator[Record]:
    """`stuff import` and `stuff export` of many documents; rates are documents a second, memory is
    the highest of the service."""
    with (
        tempfile.TemporaryDirectory(prefix="stuff-bench-") as directory,
        servers.stuff(bench.database, "transfer", environment=PATIENT) as store,
    ):
        source, copy = Path(directory) / "source.ndjson", Path(directory) / "copy.ndjson"
        _write_lines(source, bench.documents)
        idle = resident_bytes(store.process) / 2**20
        for command, file, requests in (("import", source, 4), ("export", copy, 1)):
            meters = CpuMeter(store.process), CpuMeter(bench.engine)
            start = time.perf_counter()
            with _peak(store.process) as peak:
                subprocess.run(
                    [sys.executable, "-m", "service", command, str(file), "--url", store.url],
                    check=True,
                    stderr=subprocess.DEVNULL,
                )
            seconds = time.perf_counter() - start
            service_cpu_us, engine_cpu_us = [meter.per(bench.documents) for meter in meters]
            result = Result(
                rate=bench.documents / seconds,
                p50_ms=0,
                p99_ms=0,
                service_cpu_us=service_cpu_us,
                engine_cpu_us=engine_cpu_us,
                memory_mb=peak[0] / 2**20,
                errors=0,
            )
            load = Load(command, requests, bench.documents, LINE_BYTES)
            yield {
                "section": "transfer",
                "server": "stuff",
                **asdict(load),
                **asdict(result),
                "idle_mb": idle,
            }
        if not _have_the_same(source, copy):
            raise SystemExit("bench: the export is not what was imported")


def pages(bench: Bench) -> Iterator[Record]:
    """Pages of 10 documents out of 100,100, the first and the 10,000th, in turn."""
    documents, last = 10_010 * PAGE_SIZE, f"{9_999 * PAGE_SIZE:08}"
    collection = bench.collection("pages")
    collection.drop()
    for start in range(1, documents + 1, 1000):
        ids = range(start, min(start + 1000, documents + 1))
        collection.insert_many([{"_id": f"{n:08}", "text": "x" * 100} for n in ids], ordered=False)
    cursor = encode_cursor({}, parse_sort(None), (last,))
    pages = {
        "page 1": {"limit": str(PAGE_SIZE)},
        "page 10,000": {"limit": str(PAGE_SIZE), "after": cursor},
    }
    times: dict[str, list[float]] = {name: [] for name in pages}
    used: dict[str, list[float | None]] = {name: [] for name in pages}
    with (
        servers.stuff(bench.database, "pages", environment=PATIENT) as store,
        httpx.Client(base_url=store.url, timeout=120) as client,
    ):
        for _ in range(1 + 3 * bench.turns):
            for name, parameters in pages.items():
                meter, start_time = CpuMeter(bench.engine), time.perf_counter()
                page = client.get("/stuff", params=parameters).json()
                times[name].append((time.perf_counter() - start_time) * 1000)
                used[name].append(meter.per(1))
                if len(page["items"]) != PAGE_SIZE:
                    raise SystemExit(f"bench: {name} is not there")
        memory = resident_bytes(store.process) / 2**20
    for name, measured in times.items():
        p50 = median(measured[1:])
        result = Result(1000 / p50, p50, max(measured[1:]), 0, middle_of(used[name][1:]), memory, 0)
        load = Load(name, 1, documents, 100)
        yield {"section": "pages", "server": "stuff", **asdict(load), **asdict(result)}


def _write_lines(file: Path, count: int) -> None:
    line: dict[str, Any] = {"_id": "", "n": 0, "name": "Ada Lovelace", "text": ""}
    line["text"] = "x" * (LINE_BYTES - len(json.dumps(line)) - 16)
    with file.open("w") as lines:
        for n in range(count):
            line |= {"_id": f"{n:09}", "n": n}
            lines.write(json.dumps(line, separators=(",", ":")) + "\n")


def _have_the_same(source: Path, copy: Path) -> bool:
    """Whether the export, in Extended JSON, has the documents of the import, in their order."""
    with source.open() as sent, copy.open() as got:
        pairs = zip_longest(sent, got, fillvalue="null")
        return all(json.loads(before) == json_util.loads(after) for before, after in pairs)


@contextmanager
def _peak(process: psutil.Process) -> Iterator[list[int]]:
    """The most memory that the process has meanwhile, in bytes."""
    peak = [resident_bytes(process)]
    done = Event()

    def watch() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], resident_bytes(process))

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()
