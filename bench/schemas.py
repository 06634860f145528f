"""What a schema costs: those who write, and for the check of one document alone."""

import json
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median

import psutil

from bench import servers
from bench.measuring import Load, Result
from bench.plan import Bench
from bench.report import CHECK, SCHEMA, Record
from service.declarations import read_declarations
from service.documents import layout
from service.documents.schemas import Schema
from service.settings import Settings

SCHEMA_FILE = Path(__file__).parent.parent / "examples" / "library" / "schemas" / "book.json"
BOOK = (
    '{"title":"Notes on the Analytical Engine","authors":["menabrea","lovelace"],"year":%d,'
    '"language":"fr","kind":"essay","lent":{"to":"Charles Babbage, 1 Dorset Street, London",'
    '"until":"2026-12-31"}}'
)
BODY_BYTES = 200
CHECKS = 100  # in a batch, which is short enough not to be interrupted


def schemas(bench: Bench) -> Iterator[Record]:
    """PUT of a book of 200 B, with the schema of `examples/library` and without; then the check
    alone, whose service CPU is that of the fastest batch of 100, as on an idle core."""
    load = Load("PUT", body_bytes=BODY_BYTES, body=BOOK)
    with declared() as file:
        environment = {"STUFF_COLLECTIONS": str(file)}
        with (
            servers.stuff(bench.database, bench.seed("without", 10_000, BODY_BYTES)) as without,
            servers.stuff(
                bench.database, bench.seed("with", 10_000, BODY_BYTES), environment=environment
            ) as store,
        ):
            yield from bench.compare(
                "schemas", [(without, load), (replace(store, name=SCHEMA), load)]
            )
        schema = read_declarations(Settings(collections=file))["stuff"].schema
    assert schema is not None
    result = check_alone(schema, bench.seconds * bench.turns)
    alone = Load("check", 1, 1, BODY_BYTES, BOOK)
    yield {"section": "schemas", "server": CHECK, **asdict(alone), **asdict(result)}


@contextmanager
def declared() -> Iterator[Path]:
    """A file that gives `stuff` the schema of a book."""
    with tempfile.TemporaryDirectory(prefix="stuff-bench-") as directory:
        file = Path(directory) / "collections.json"
        entry = {"name": "Book", "schema": json.loads(SCHEMA_FILE.read_text())}
        file.write_text(json.dumps({"version": 1, "collections": {"stuff": entry}}))
        yield file


def check_alone(schema: Schema, seconds: float) -> Result:
    """The check of one document again and again, as every write runs it; times are a check's."""
    fields = layout.encode_fields(json.loads(BOOK % 1843))
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        start = time.perf_counter()
        for _ in range(CHECKS):
            for _ in schema.check(fields):
                pass
        times.append((time.perf_counter() - start) / CHECKS)
    return Result(
        rate=1 / median(times),
        p50_ms=median(times) * 1e3,
        p99_ms=sorted(times)[len(times) * 99 // 100] * 1e3,
        service_cpu_us=min(times) * 1e6,
        engine_cpu_us=0,
        memory_mb=psutil.Process().memory_info().rss / 2**20,
        errors=0,
    )
