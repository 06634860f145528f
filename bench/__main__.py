"""Measures, in one go and on one engine, and reports: `python -m bench --help`."""

import json
import os
import platform
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from pymongo import MongoClient

from bench import plots, report
from bench.databases import Database, engine_of, existing
from bench.plan import Bench
from bench.profiling import profile
from bench.sections import SECTIONS
from service.server.engine import EmbeddedEngine

HERE = Path(__file__).parent
PACKAGES = ["fastapi", "uvicorn", "motor", "pymongo", "aiohttp", "SecantusDB"]

app = typer.Typer(add_completion=False)

Sections = Annotated[list[str] | None, typer.Argument(help=f"Of: {', '.join(SECTIONS)}. All.")]
Seconds = Annotated[float, typer.Option(help="How long a load is measured, at least 1.")]
Turns = Annotated[int, typer.Option(help="How often; the median counts.")]
Documents = Annotated[int, typer.Option(help="Documents in the large collection.")]
Soak = Annotated[float, typer.Option(help="Seconds of mixed load, to see memory grow.")]
EngineUri = Annotated[
    str, typer.Option(help="A database that is there already, instead of an embedded engine.")
]
Output = Annotated[Path, typer.Option(help="Where the JSON goes; the plot beside it.")]


@app.command()
def bench(
    sections: Sections = None,
    seconds: Seconds = 5,
    turns: Turns = 3,
    documents: Documents = 1_000_000,
    soak: Soak = 600,
    engine_uri: EngineUri = "",
    output: Output = HERE / "results.json",
) -> None:
    """Measure this service, the original and the ceilings, side by side.

    What is in the output of a former run on the same engine stays there, unless its section is
    measured again.
    """
    names = sections or list(SECTIONS)
    with _bench(engine_uri, seconds, turns, documents, soak) as plan:
        machine = _machine() | {"engine": engine_of(plan.mongo)}
        records = []
        if output.exists():
            former = json.loads(output.read_text())
            if former["machine"]["engine"] == machine["engine"]:
                records = [each for each in former["records"] if each["section"] not in names]
        for name in names:
            print(f"\n## {name}: {SECTIONS[name].__doc__}", flush=True)
            for record in SECTIONS[name](plan):
                records.append(record)
                print(report.table([record]).splitlines()[-1], flush=True)
    output.write_text(json.dumps({"machine": machine, "records": records}, indent=1) + "\n")
    _plot(records, output)
    print(f"\n## goals\n\n{report.goals_table(records)}\n\nWritten to {output}")


@app.command("profile")
def show_profile(seconds: Seconds = 10, engine_uri: EngineUri = "") -> None:
    """Print where the service's CPU time goes at 64 connections."""
    with _bench(engine_uri, seconds) as plan:
        layers = {method: profile(plan, method) for method in ("GET", "PUT")}
    print("| µs of CPU time a request | GET | PUT |\n|---|---|---|")
    for layer in dict.fromkeys([*layers["GET"], *layers["PUT"]]):
        print(
            f"| {layer} | {' | '.join(f'{each.get(layer, 0):.1f}' for each in layers.values())} |"
        )
    print(f"| sum | {' | '.join(f'{sum(each.values()):.1f}' for each in layers.values())} |")


@app.command()
def show(source: Output = HERE / "results.json") -> None:
    """Print the tables of a run, and draw its plot again."""
    records = json.loads(source.read_text())["records"]
    _plot(records, source)
    print(report.tables(records))


@contextmanager
def _bench(
    engine_uri: str, seconds: float, turns: int = 1, documents: int = 0, soak: float = 0
) -> Iterator[Bench]:
    with (
        _existing(engine_uri) if engine_uri else _embedded() as (database, engine),
        MongoClient[Any](database.uri) as mongo,
    ):
        yield Bench(database, engine, mongo, seconds, turns, documents, soak)


@contextmanager
def _existing(uri: str) -> Iterator[tuple[Database, None]]:
    with existing(uri) as database:
        print(f"All documents are in the database {database.name}, which is dropped at the end.")
        yield database, None


@contextmanager
def _embedded() -> Iterator[tuple[Database, psutil.Process]]:
    with tempfile.TemporaryDirectory(prefix="stuff-bench-") as data_dir:
        engine = EmbeddedEngine(Path(data_dir))
        uri = engine.start()
        try:
            [watchdog] = psutil.Process().children()  # nothing else has been started by now
            yield Database(uri, "demo"), watchdog
        finally:
            engine.stop()


def _plot(records: list[report.Record], beside: Path) -> None:
    if report.of_section(records, "connections"):
        plots.plot_connections(records, beside.with_suffix(".svg"))
    if report.of_section(records, "latency"):
        plots.plot_latency(records, beside.with_name("latency.svg"))


def _machine() -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "system": platform.system(),
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "packages": {name: version(name) for name in PACKAGES},
    }


if __name__ == "__main__":
    app()
