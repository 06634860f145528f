"""Where the service's CPU time goes, layer by layer, by py-spy: samples of the thread that holds
the interpreter's lock, as shares of the CPU time that was measured without it."""

import re
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter
from linecache import getline
from pathlib import Path

from bench.measuring import Load, measure
from bench.plan import Bench
from bench.servers import stuff

RATE = 500  # samples a second
ROOT = Path(__file__).parent.parent

SOCKETS = "event loop: sockets, timers, wake-ups"
WRITING = "socket: writing responses"
DRIVER = "driver: Beanie, Motor, PyMongo"
ENCODING = "encoding: JSON, BSON, entity tags"
# What a frame belongs to, by the first that its file begins with.
LAYERS = {
    "service/server/cycles.py": "heads of responses",
    "service/server/dates.py": "heads of responses",
    "service/server/": "parsing of requests",
    "uvicorn/": "parsing of requests",
    "service/application.py": "other middleware: application, origins, shortcut, access",
    "service/web/middleware.py": "request middleware: ids, limits, metrics, default fields",
    "service/observability/": "request middleware: ids, limits, metrics, default fields",
    "prometheus_client/": "request middleware: ids, limits, metrics, default fields",
    "service/web/origins.py": "other middleware: application, origins, shortcut, access",
    "service/security/": "other middleware: application, origins, shortcut, access",
    "service/web/access.py": "other middleware: application, origins, shortcut, access",
    "service/web/shortcut.py": "other middleware: application, origins, shortcut, access",
    "fastapi/": "FastAPI and Starlette",
    "starlette/": "FastAPI and Starlette",
    "service/web/direct.py": "calling dependencies",
    "service/web/dependencies/": "dependencies",
    "service/web/bodies.py": "dependencies",
    "service/documents/ids/": "dependencies",
    "service/documents/preconditions.py": "dependencies",
    "service/routers/": "endpoints and responses",
    "service/web/": "endpoints and responses",
    "service/store/batching/": "batching, turns",
    "service/store/turns.py": "batching, turns",
    "service/mongo/": DRIVER,
    "service/documents/": ENCODING,
    "bson/": ENCODING,
    "service/": "store",
    "asyncio/": SOCKETS,
}
DRIVERS = ("pymongo/", "motor/", "beanie/", "concurrent/")
_FRAME = re.compile(r".* \((.*):(\d+)\)")


def profile(bench: Bench, method: str) -> dict[str, float]:
    """The CPU time that each layer takes of a request at 64 connections, in microseconds."""
    load = Load(method)
    with stuff(bench.database, bench.seed("stuff", load.documents, load.body_bytes)) as store:
        measure(store.url, load, 1, store.process, bench.engine)
        total = measure(store.url, load, bench.seconds, store.process, bench.engine)
        with tempfile.NamedTemporaryFile("r") as raw:
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
    samples: Counter[str] = Counter()
    for line in stacks:
        stack, _, count = line.rpartition(" ")
        samples[_layer(stack.split(";"))] += int(count)
    each = (total.service_cpu_us or 0) / samples.total()
    return {layer: count * each for layer, count in samples.most_common()}


def _layer(stack: list[str]) -> str:
    """The layer of the frame that runs, or that has called what belongs to none."""
    if any(f"({package}" in frame for frame in stack for package in DRIVERS):
        return DRIVER
    for frame in reversed(stack):
        found = _FRAME.fullmatch(frame)
        if found is None:
            continue
        file, number = found[1], int(found[2])
        if file == "service/server/cycles.py" and "write(" in getline(str(ROOT / file), number):
            return WRITING
        for path, layer in LAYERS.items():
            if file.startswith(path):
                return layer
    return "other"
