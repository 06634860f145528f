"""Where the service's time goes, by py-spy: samples of whoever holds the interpreter's lock."""

import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from pathlib import Path

from bench.measuring import Load, measure
from bench.plan import Bench
from bench.servers import stuff

RATE = 500  # samples a second
# The first of these that a stack mentions, from its leaf on, is whose time it is.
PARTS = {
    "uvicorn/": "uvicorn: HTTP in and out",
    "fastapi/": "FastAPI and Starlette: middleware, routing, responses",
    "starlette/": "FastAPI and Starlette: middleware, routing, responses",
    "service/web/direct.py": "calling dependencies",
    "service/routers/": "dependencies, endpoints, headers",
    "service/web/": "dependencies, endpoints, headers",
    "service/documents/preconditions.py": "dependencies, endpoints, headers",
    "service/store/batching/": "batching",
    "service/": "store and codec: JSON, BSON, entity tags",
    "asyncio/": "event loop",
}
DRIVER = ("pymongo/", "motor/", "beanie/", "concurrent/")


def profile(bench: Bench, method: str) -> dict[str, float]:
    """The parts of the service's time at 64 connections; they add up to 1."""
    load = Load(method)
    with (
        stuff(bench.database, bench.seed("stuff", load.documents, load.body_bytes)) as store,
        tempfile.NamedTemporaryFile("r") as raw,
    ):
        measure(store.url, load, 1, store.process, bench.engine)
        py_spy = Path(sysconfig.get_path("scripts")) / "py-spy"
        command = [str(py_spy), "record", "--gil", "--format", "raw", "--output", raw.name]
        command += ["--rate", str(RATE), "--duration", str(round(bench.seconds))]
        with subprocess.Popen(
            [*command, "--pid", str(store.process.pid)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ) as recorder:
            measure(store.url, load, bench.seconds + 2, store.process, bench.engine)
            if recorder.wait(30):
                sys.exit("bench: py-spy may not look at processes here")
        stacks = raw.read().splitlines()
    parts: Counter[str] = Counter()
    for line in stacks:
        stack, _, samples = line.rpartition(" ")
        parts[_part(stack.split(";"))] += int(samples)
    return {part: samples / parts.total() for part, samples in parts.most_common()}


def _part(stack: list[str]) -> str:
    if any(package in frame for frame in stack for package in DRIVER):
        return "driver: Motor and PyMongo"
    for frame in reversed(stack):
        for path, part in PARTS.items():
            if f"({path}" in frame:
                return part
    return "other"
