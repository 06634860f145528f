"""What all sections share: the engine, collections filled with documents, and the comparison."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

import psutil
from pymongo import MongoClient
from pymongo.collection import Collection

from bench.databases import Database
from bench.forms import as_stored
from bench.measuring import Load, Result, measure, middle
from bench.report import Record
from bench.servers import Server

Form: TypeAlias = Callable[[int, int], Any]


@dataclass(frozen=True)
class Bench:
    """The engine that all servers share, and how long and how often each load is measured."""

    database: Database
    engine: psutil.Process | None  # the root of its process tree, if it is on this machine
    mongo: MongoClient[Any]
    seconds: float
    turns: int
    documents: int  # in the large collection
    soak_seconds: float

    def collection(self, name: str) -> Collection[Any]:
        return self.mongo[self.database.name][name]

    def seed(
        self, collection: str, documents: int, body_bytes: int, form: Form | None = None
    ) -> str:
        """Fill the collection unless it is full, with what PUTs by the store would leave there or
        else in another form.
        """
        form = form or as_stored
        target = self.collection(collection)
        if target.estimated_document_count() < documents:
            target.drop()
            for start in range(1, documents + 1, 1000):
                ids = range(start, min(start + 1000, documents + 1))
                size = max(1, 8_000_000 // (body_bytes + 200))
                for first in range(0, len(ids), size):
                    chunk = ids[first : first + size]
                    target.insert_many([form(n, body_bytes) for n in chunk], ordered=False)
        return collection

    def compare(self, section: str, loads: Sequence[tuple[Server, Load]]) -> Iterator[Record]:
        """Measure in turn, each server under its load."""
        for server, load in loads:  # warm up
            measure(server.url, load, 1, server.process, self.engine)
        results: list[list[Result]] = [[] for _ in loads]
        for _ in range(self.turns):
            for (server, load), turns in zip(loads, results, strict=True):
                turns.append(measure(server.url, load, self.seconds, server.process, self.engine))
        for (server, load), turns in zip(loads, results, strict=True):
            figures = {**asdict(load), **asdict(middle(turns))}
            yield {"section": section, "server": server.name, **figures}
