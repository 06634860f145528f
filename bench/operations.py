"""Operations beside the plain GET and PUT, and the service before the first request."""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, replace

from bson.raw_bson import RawBSONDocument

from bench import servers
from bench.forms import as_stored, fields_of
from bench.measuring import CpuMeter, Load, Result, resident_bytes
from bench.plan import Bench
from bench.report import Record
from service.documents import layout

DOCUMENTS, BODY_BYTES = 10_000, 100
PAGE_SIZE, PAGE_BODY_BYTES = 100, 250
REST = 2.0  # seconds


def conditions(bench: Bench) -> Iterator[Record]:
    """PUT, and PUT with `If-Match`, of random ids out of 10,000 documents, by 64 at once. All have
    the same fields, and so the same entity tag, and get them again."""
    fields = fields_of(1, BODY_BYTES)
    etag = layout.entity_tag(layout.encode_fields(fields))
    plain = Load("PUT", documents=DOCUMENTS, body_bytes=BODY_BYTES, body=json.dumps(fields))
    collection = bench.seed("conditions", DOCUMENTS, BODY_BYTES, _alike)
    with servers.stuff(bench.database, collection) as store:
        conditional = replace(plain, if_match=f'"{etag}"')
        yield from bench.compare("conditions", [(store, plain), (store, conditional)])


def _alike(number: int, body_bytes: int) -> RawBSONDocument:
    return as_stored(1, body_bytes, id=str(number))


def items(bench: Bench) -> Iterator[Record]:
    """The first page of 100 documents of 250 B, by 16 at once. Figures are a page's."""
    collection = bench.seed("items", 1_000, PAGE_BODY_BYTES)
    with servers.stuff(bench.database, collection) as store:
        load = Load("PAGE", 16, 1_000, PAGE_BODY_BYTES)
        yield from bench.compare("items", [(store, load)])


def start(bench: Bench) -> Iterator[Record]:
    """The start of the service until its first answer, on a database that is there; then its memory
    at rest. The CPU time is that of the whole start."""
    for _ in range(bench.turns):
        began = time.perf_counter()
        with servers.stuff(bench.database, bench.seed("stuff", DOCUMENTS, BODY_BYTES)) as store:
            meter = CpuMeter(store.process, since_start=True)
            seconds, cpu = time.perf_counter() - began, meter.per(1)
            time.sleep(REST)
            memory = resident_bytes(store.process) / 2**20
        yield {
            "section": "start",
            "server": store.name,
            **asdict(Load("start", 0, DOCUMENTS, BODY_BYTES)),
            **asdict(Result(1 / seconds, seconds * 1e3, seconds * 1e3, cpu, None, memory, 0)),
        }
