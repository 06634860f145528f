"""What is measured: each section yields records, one for each server and load.

All servers of a section are up together and take turns, again and again, so that whatever else the
machine does meets all of them. A record holds the median of its turns.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from statistics import median
from typing import Any

import psutil
from pymongo import ReplaceOne, WriteConcern
from pymongo.collection import Collection

from bench import bulk, feeds, latency, operations, peers, schemas, servers
from bench.forms import as_sent, as_stored
from bench.measuring import CpuMeter, Load, Result, measure, middle, resident_bytes
from bench.plan import Bench
from bench.report import Record


def connections(bench: Bench) -> Iterator[Record]:
    """GET and PUT of random ids out of 10,000 small documents, by 1, 16 and 64 at once."""
    loads = [Load(method, connections) for connections in (64, 16, 1) for method in ("GET", "PUT")]
    with ExitStack() as stack:
        running = [
            stack.enter_context(server)
            for server in (
                servers.stuff(bench.database, bench.seed("stuff", 10_000, 100)),
                servers.baseline(bench.database, bench.seed("baseline", 10_000, 100, as_sent)),
                servers.safe_baseline(bench.database),
                servers.empty_route(),
                servers.bare_asgi(),
            )
        ]
        for load in loads:
            yield from bench.compare("connections", [(server, load) for server in running])


def sizes(bench: Bench) -> Iterator[Record]:
    """Documents of 100 B, 10 kB and 1 MB, by 16 at once."""
    for body_bytes, documents in ((100, 10_000), (10_000, 2_000), (1_000_000, 50)):
        name = f"sizes_{body_bytes}"
        loads = [Load(method, 16, documents, body_bytes) for method in ("GET", "PUT")]
        with (
            servers.stuff(
                bench.database, bench.seed(f"stuff_{name}", documents, body_bytes)
            ) as store,
            servers.baseline(
                bench.database, bench.seed(name, documents, body_bytes, as_sent)
            ) as original,
        ):
            for load in loads:
                yield from bench.compare("sizes", [(store, load), (original, load)])


def collections(bench: Bench) -> Iterator[Record]:
    """GET by id where there are 1,000 documents, and where there are 1,000,000."""
    small = bench.seed("small", 1_000, 100)
    large = bench.seed("large", bench.documents, 100)
    with (
        servers.stuff(bench.database, small) as first,
        servers.stuff(bench.database, large) as second,
    ):
        loads = [
            (first, Load("GET", documents=1_000)),
            (second, Load("GET", documents=bench.documents)),
        ]
        yield from bench.compare("collections", loads)


def engine(bench: Bench) -> Iterator[Record]:
    """What the engine takes at most: bulks of 64 upserts by the driver, with the store's write
    concern and with the driver's default. Times are a bulk's."""
    target = bench.collection(bench.seed("stuff", 10_000, 100))
    concerns = {"driver alone, durable": WriteConcern("majority", j=True), "driver alone": None}
    for name, concern in concerns.items():
        collection = target.with_options(write_concern=concern)
        turns = [_bulks(collection, bench) for _ in range(bench.turns)]
        yield {
            "section": "engine",
            "server": name,
            **asdict(Load("PUT", 1)),
            **asdict(middle(turns)),
        }


def _bulks(collection: Collection[Any], bench: Bench) -> Result:
    times = []
    ours = psutil.Process()
    before, meter = ours.cpu_times(), CpuMeter(bench.engine)
    start = time.perf_counter()
    while time.perf_counter() - start < bench.seconds:
        ids = random.sample(range(1, 10_001), 64)
        bulk: list[ReplaceOne[Any]] = [
            ReplaceOne({"_id": str(id)}, as_stored(id, 100), upsert=True) for id in ids
        ]
        sent = time.perf_counter()
        collection.bulk_write(bulk, ordered=False)
        times.append((time.perf_counter() - sent) * 1000)
    after = ours.cpu_times()
    documents = 64 * len(times)
    used = after.user + after.system - before.user - before.system
    return Result(
        rate=documents / (time.perf_counter() - start),
        p50_ms=median(times),
        p99_ms=sorted(times)[len(times) * 99 // 100],
        service_cpu_us=used / documents * 1e6,
        engine_cpu_us=meter.per(documents),
        memory_mb=ours.memory_info().rss / 2**20,
        errors=0,
    )


def workers(bench: Bench) -> Iterator[Record]:
    """One worker process and two."""
    collection = bench.seed("stuff", 10_000, 100)
    loads = [Load(method) for method in ("GET", "PUT")]
    for count in (1, 2):
        with servers.stuff(bench.database, collection, count) as store:
            for load in loads:
                for record in bench.compare("workers", [(store, load)]):
                    yield {**record, "workers": count}


def counters(bench: Bench) -> Iterator[Record]:
    """PATCH of one document by 64 at once: counting with `$inc`, and setting the number with a
    merge patch."""
    with servers.stuff(bench.database, bench.seed("counters", 1, 100)) as store:
        loads = [(store, Load(method, documents=1)) for method in ("COUNT", "MERGE")]
        yield from bench.compare("counters", loads)


def soak(bench: Bench) -> Iterator[Record]:
    """Resident memory under a mixed load (80 % GET) that goes on and on."""
    load = Load("MIXED")
    with servers.stuff(bench.database, bench.seed("stuff", 10_000, 100)) as store:
        start = time.monotonic()
        while time.monotonic() - start < bench.soak_seconds:
            result = measure(store.url, load, 10, store.process, bench.engine)
            yield {
                "section": "soak",
                "server": store.name,
                **asdict(load),
                **asdict(result),
                "elapsed": round(time.monotonic() - start),
                "memory_mb": resident_bytes(store.process) / 2**20,
            }


SECTIONS: dict[str, Callable[[Bench], Iterator[Record]]] = {
    "connections": connections,
    "engine": engine,
    "sizes": sizes,
    "collections": collections,
    "conditions": operations.conditions,
    "items": operations.items,
    "start": operations.start,
    "workers": workers,
    "counters": counters,
    "pages": bulk.pages,
    "transfer": bulk.transfer,
    "feed": feeds.feed,
    "schemas": schemas.schemas,
    "latency": latency.latency,
    "peers": peers.peers,
    "soak": soak,
}
