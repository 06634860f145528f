"""Measures, in one go and on one engine, and reports: `python -m bench --help`."""

import json
import os
import platform
import tempfile
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import psutil
import typer
from pymongo import MongoClient

from bench import report
from bench.sections import SECTIONS, Bench
from service.embedded import EmbeddedEngine

HERE = Path(__file__).parent
PACKAGES = ["fastapi", "uvicorn", "motor", "pymongo", "aiohttp", "SecantusDB"]

app = typer.Typer(add_completion=False)

Sections = Annotated[list[str] | None, typer.Argument(help=f"Of: {', '.join(SECTIONS)}. All.")]
Seconds = Annotated[float, typer.Option(help="How long a load is measured, at least 1.")]
Turns = Annotated[int, typer.Option(help="How often; the median counts.")]
Documents = Annotated[int, typer.Option(help="Documents in the large collection.")]
Soak = Annotated[float, typer.Option(help="Seconds of mixed load, to see memory grow.")]
Output = Annotated[Path, typer.Option(help="Where the JSON goes; the plot beside it.")]


@app.command()
def bench(
    sections: Sections = None,
    seconds: Seconds = 5,
    turns: Turns = 3,
    documents: Documents = 1_000_000,
    soak: Soak = 600,
    output: Output = HERE / "results.json",
) -> None:
    """Measure this service, the original and the ceilings, side by side."""
    records = []
    with tempfile.TemporaryDirectory(prefix="stuff-bench-") as data_dir:
        engine = EmbeddedEngine(Path(data_dir))
        uri = engine.start()
        try:
            # Nothing else has been started by now.
            [guardian] = psutil.Process().children()
            with MongoClient[Any](uri) as mongo:
                plan = Bench(uri, guardian, mongo, seconds, turns, documents, soak)
                for name in sections or SECTIONS:
                    print(f"\n## {name}: {SECTIONS[name].__doc__}", flush=True)
                    for record in SECTIONS[name](plan):
                        records.append(record)
                        print(report.table([record]).splitlines()[-1], flush=True)
        finally:
            engine.stop()
    output.write_text(json.dumps({"machine": _machine(), "records": records}, indent=1) + "\n")
    if any(record["section"] == "connections" for record in records):
        report.plot(records, output.with_suffix(".svg"))
    print(f"\n## goals\n\n{report.goals_table(records)}\n\nWritten to {output}")


@app.command()
def show(source: Output = HERE / "results.json") -> None:
    """Print the tables of a run, and draw its plot again."""
    records = json.loads(source.read_text())["records"]
    report.plot(records, source.with_suffix(".svg"))
    print(report.tables(records))


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
