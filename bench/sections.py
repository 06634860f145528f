"""What is measured: each section yields records, one for each server and load.

All servers of a section are up together and take turns, again and again, so that whatever else the
machine does meets all of them. A record holds the median of its turns.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias

import psutil
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from bench import servers
from bench.measuring import Load, Result, measure, middle, resident_bytes
from bench.servers import Server
from service import codec

Record: TypeAlias = dict[str, Any]

Form: TypeAlias = Callable[[int, int], Any]

DATABASE = "demo"


@dataclass(frozen=True)
class Bench:
    """The engine that all servers share, and how long and how often each load is measured."""

    uri: str
    engine: psutil.Process
    mongo: MongoClient[Any]
    seconds: float
    turns: int
    documents: int  # in the large collection
    soak_seconds: float

    def seed(
        self, collection: str, documents: int, body_bytes: int, form: Form | None = None
    ) -> str:
        """Fill the collection unless it is full, with what PUTs by the store would leave there or
        else in another form.
        """
        form = form or _as_stored
        target = self.mongo[DATABASE][collection]
        if target.estimated_document_count() < documents:
            target.drop()
            for start in range(1, documents + 1, 1000):
                ids = range(start, min(start + 1000, documents + 1))
                size = max(1, 8_000_000 // (body_bytes + 200))
                for first in range(0, len(ids), size):
                    chunk = ids[first : first + size]
                    target.insert_many([form(n, body_bytes) for n in chunk], ordered=False)
        return collection

    def compare(
        self, section: str, running: Sequence[Server], loads: Sequence[Load]
    ) -> Iterator[Record]:
        for load in loads:
            results: dict[str, list[Result]] = {server.name: [] for server in running}
            for server in running:  # warm up
                measure(server.url, load, 1, server.process, self.engine)
            for _ in range(self.turns):
                for server in running:
                    result = measure(server.url, load, self.seconds, server.process, self.engine)
                    results[server.name].append(result)
            for name, turns in results.items():
                yield {
                    "section": section,
                    "server": name,
                    **asdict(load),
                    **asdict(middle(turns)),
                }


def connections(bench: Bench) -> Iterator[Record]:
    """GET and PUT of random ids out of 10,000 small documents, by 1, 16 and 64 at once."""
    loads = [Load(method, connections) for connections in (64, 16, 1) for method in ("GET", "PUT")]
    with ExitStack() as stack:
        running = [
            stack.enter_context(server)
            for server in (
                servers.stuff(bench.uri, bench.seed("stuff", 10_000, 100)),
                servers.baseline(bench.uri, bench.seed("baseline", 10_000, 100, _as_sent)),
                servers.safe_baseline(bench.uri),
                servers.empty_route(),
                servers.bare_asgi(),
            )
        ]
        yield from bench.compare("connections", running, loads)


def sizes(bench: Bench) -> Iterator[Record]:
    """Documents of 100 B, 10 kB and 1 MB, by 16 at once."""
    for body_bytes, documents in ((100, 10_000), (10_000, 2_000), (1_000_000, 50)):
        name = f"sizes_{body_bytes}"
        loads = [Load(method, 16, documents, body_bytes) for method in ("GET", "PUT")]
        with (
            servers.stuff(bench.uri, bench.seed(f"stuff_{name}", documents, body_bytes)) as store,
            servers.baseline(
                bench.uri, bench.seed(name, documents, body_bytes, _as_sent)
            ) as original,
        ):
            yield from bench.compare("sizes", [store, original], loads)


def collections(bench: Bench) -> Iterator[Record]:
    """GET by id where there are 1,000 documents, and where there are 1,000,000."""
    small = bench.seed("small", 1_000, 100)
    large = bench.seed("large", bench.documents, 100)
    with servers.stuff(bench.uri, small) as first, servers.stuff(bench.uri, large) as second:
        # The same number of ids, so that the same number of requests ask for the same document.
        for _ in range(2):
            for server, documents in ((first, 1_000), (second, bench.documents)):
                load = Load("GET", 64, documents)
                yield from bench.compare("collections", [server], [load])


def workers(bench: Bench) -> Iterator[Record]:
    """One worker process and two."""
    collection = bench.seed("stuff", 10_000, 100)
    loads = [Load(method) for method in ("GET", "PUT")]
    for count in (1, 2):
        with servers.stuff(bench.uri, collection, count) as store:
            for record in bench.compare("workers", [store], loads):
                yield {**record, "workers": count}


def soak(bench: Bench) -> Iterator[Record]:
    """Resident memory under a mixed load (80 % GET) that goes on and on."""
    load = Load("MIXED")
    with servers.stuff(bench.uri, bench.seed("stuff", 10_000, 100)) as store:
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
    "sizes": sizes,
    "collections": collections,
    "workers": workers,
    "soak": soak,
}


def _fields(number: int, body_bytes: int) -> dict[str, Any]:
    return {"n": number, "name": "Ada", "text": "x" * max(0, body_bytes - 36)}


def _as_sent(number: int, body_bytes: int) -> dict[str, Any]:
    return {"_id": str(number), **_fields(number, body_bytes)}


def _as_stored(number: int, body_bytes: int) -> RawBSONDocument:
    fields = codec.encode_fields(_fields(number, body_bytes))
    etag = codec.entity_tag(fields)
    return RawBSONDocument(codec.assemble(str(number), fields, etag, datetime.now(UTC)))
