"""What a database at a distance leaves of the service, and what batching does there."""

import re
import socket
import struct
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from statistics import median

import bson
import psutil

from bench import servers
from bench.databases import Database
from bench.distant import SENT
from bench.measuring import Load
from bench.plan import Bench
from bench.report import STUFF, Record

LATENCIES_MS = (0.2, 1.0, 5.0)
DOCUMENTS, BODY_BYTES = 10_000, 100
KINDS = {"GET": "read", "PUT": "upsert"}  # as the metrics name them
PROBES = 200


def latency(bench: Bench) -> Iterator[Record]:
    """GET and PUT of small documents by 64, 16 and 1 at once, in front of a played database that
    answers each command after 0.2, 1 and 5 ms."""
    for latency_ms in LATENCIES_MS:
        with (
            database_at(latency_ms) as (database, process),
            servers.stuff(database, "stored") as store,
            servers.safe_baseline(database, SENT) as original,
        ):
            facts = {"latency_ms": latency_ms, "answered_ms": time_of_answers(database)}
            there = replace(bench, database=database, engine=process)
            for load in (Load(method, count) for count in (64, 16, 1) for method in KINDS):
                before = round_trips(store.url, load.method)
                records = list(there.compare("latency", [(store, load), (original, load)]))
                after = round_trips(store.url, load.method)
                batch = (after[1] - before[1]) / (after[0] - before[0])
                for record in records:
                    size = batch if record["server"] == STUFF else 1
                    yield {**record, **facts, "documents_a_round_trip": size}


@contextmanager
def database_at(latency_ms: float) -> Iterator[tuple[Database, psutil.Process]]:
    """A database at this distance, and its process."""
    port = servers.free_port()
    arguments = map(str, (port, latency_ms, DOCUMENTS, BODY_BYTES))
    process = subprocess.Popen([sys.executable, "-m", "bench.distant", *arguments])
    try:
        deadline = time.monotonic() + servers.TIMEOUT
        while process.poll() is None and time.monotonic() < deadline:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise SystemExit("bench: the played database did not start")
        yield Database(f"mongodb://127.0.0.1:{port}", "demo"), psutil.Process(process.pid)
    finally:
        process.kill()
        process.wait()


def time_of_answers(database: Database) -> float:
    """Milliseconds from sending a find of 64 documents until all of them have arrived, at the
    median, without a driver."""
    host, _, port = database.uri.removeprefix("mongodb://").partition(":")
    ids = [str(n) for n in range(1, 65)]
    command = {"find": "stored", "filter": {"_id": {"$in": ids}}, "$db": database.name}
    payload = bytes(5) + bson.encode(command)
    message = struct.pack("<iiii", 16 + len(payload), 1, 0, 2013) + payload
    times = []
    with socket.create_connection((host, int(port))) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(PROBES):
            start = time.perf_counter()
            connection.sendall(message)
            [length] = struct.unpack("<i", connection.recv(4, socket.MSG_WAITALL))
            connection.recv(length - 4, socket.MSG_WAITALL)
            times.append((time.perf_counter() - start) * 1000)
    return median(times)


def round_trips(url: str, method: str) -> tuple[float, float]:
    """How many of this kind the service has made until now, and with how many documents."""
    with urllib.request.urlopen(f"{url}/metrics") as response:  # noqa: S310 (http)
        text = response.read().decode()
    name = f'^stuff_batch_documents_%s{{kind="{KINDS[method]}"}} (.+)$'
    found = [re.search(name % part, text, re.MULTILINE) for part in ("count", "sum")]
    count, documents = [float(match[1]) if match else 0.0 for match in found]
    return count, documents
