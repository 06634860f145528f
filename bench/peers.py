"""Other servers of JSON documents over HTTP, side by side with this one, if they are installed."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bench import servers
from bench.databases import Database, engine_of
from bench.forms import as_sent, fields_of
from bench.measuring import Load
from bench.plan import Bench
from bench.report import BASELINE, DURABLE, EVE, KINTO, STUFF, Record
from bench.servers import Server

PYTHON = Path(sys.prefix) / "peers" / "bin" / "python"
THREADS = 16  # with waitress's default of 4, eve answers fewer requests
DOCUMENTS, BODY_BYTES = 1_000, 100  # Kinto's memory is slower with more
BUCKET = "/v1/buckets/bench"
RECORDS = f"{BUCKET}/collections/stuff/records/"
JOURNALS, MEMORY = "the journals of a majority", "the memory of the database"


def peers(bench: Bench) -> Iterator[Record]:
    """GET and PUT of one document by its id, by 64 at once: this service, the original, and what
    `make peers` has installed."""
    if not PYTHON.exists():
        print("Not measured: `make peers` installs them.")
        return
    versions = _versions()
    engine = engine_of(bench.mongo)
    facts = {
        STUFF: ("", engine, JOURNALS),
        DURABLE: ("", engine, JOURNALS),
        BASELINE: ("", engine, MEMORY),
        EVE: (versions["eve"], engine, MEMORY),
        KINTO: (versions["kinto"], "its own memory", "its own memory"),
    }
    with ExitStack() as stack:
        running = [
            stack.enter_context(server)
            for server in (
                servers.stuff(bench.database, bench.seed("stuff", DOCUMENTS, BODY_BYTES)),
                servers.baseline(
                    bench.database, bench.seed("baseline", DOCUMENTS, BODY_BYTES, as_sent)
                ),
                servers.safe_baseline(bench.database),
                eve(bench.database, bench.seed("eve", DOCUMENTS, BODY_BYTES, as_eve_stores)),
                kinto(),
            )
        ]
        for method in ("GET", "PUT"):
            loads = [(server, _load(server.name, method)) for server in running]
            for record in bench.compare("peers", loads):
                version, stored_in, acknowledged = facts[record["server"]]
                yield {
                    **record,
                    "version": version,
                    "stored_in": stored_in,
                    "acknowledged": acknowledged,
                }


@contextmanager
def eve(database: Database, collection: str) -> Iterator[Server]:
    """python-eve, which documents the servers of Flask: one process of waitress, with threads."""
    environment = {
        "MONGODB_URI": database.uri,
        "DATABASE": database.name,
        "COLLECTION": collection,
    }
    with _waitress(EVE, "bench.peer_eve:app", collection, environment) as server:
        yield server


@contextmanager
def kinto() -> Iterator[Server]:
    """Kinto, whose own configuration serves it with waitress, with its documents."""
    with (
        _waitress(KINTO, "bench.peer_kinto:app", None, {}) as server,
        httpx.Client(base_url=server.url, timeout=60) as client,
    ):
        for path in (BUCKET, f"{BUCKET}/collections/stuff"):
            client.put(path).raise_for_status()
        for start in range(1, DOCUMENTS + 1, 100):
            requests = [
                {
                    "method": "PUT",
                    "path": f"{RECORDS}{n}",
                    "body": {"data": fields_of(n, BODY_BYTES)},
                }
                for n in range(start, start + 100)
            ]
            client.post("/v1/batch", json={"requests": requests}).raise_for_status()
        yield server


def as_eve_stores(number: int, body_bytes: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return as_sent(number, body_bytes) | {"_updated": now, "_created": now}


def _load(server: str, method: str) -> Load:
    if server != KINTO:
        return Load(method, 64, DOCUMENTS, BODY_BYTES)
    body = json.dumps({"data": fields_of(0, BODY_BYTES)}, separators=(",", ":"))
    return Load(
        method, 64, DOCUMENTS, BODY_BYTES, body=body.replace('"n":0', '"n":%d'), path=RECORDS
    )


@contextmanager
def _waitress(
    name: str, application: str, collection: str | None, environment: dict[str, str]
) -> Iterator[Server]:
    port = servers.free_port()
    command = ["-m", "waitress", f"--listen=127.0.0.1:{port}", f"--threads={THREADS}"]
    with servers.running(
        name, port, [*command, application], collection, environment, python=str(PYTHON)
    ) as server:
        yield server


def _versions() -> dict[str, str]:
    code = (
        "import importlib.metadata as m, json; "
        "print(json.dumps({name: m.version(name) for name in ('eve', 'kinto')}))"
    )
    told = subprocess.run([PYTHON, "-c", code], capture_output=True, text=True, check=True)
    versions: dict[str, str] = json.loads(told.stdout)
    return versions
