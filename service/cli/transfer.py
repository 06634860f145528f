"""`stuff export` and `stuff import`, with a progress bar and a summary."""

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.filesize import decimal
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from service.cli.console import (
    DEFAULT_COLLECTION,
    DEFAULT_URL,
    Collection,
    Filter,
    Patience,
    Url,
    fail,
    unusable,
    waiting,
)
from service.client.errors import ClientError
from service.client.exporting import Exporter
from service.client.files import DocumentFile, target
from service.client.http import TIMEOUT, authorization
from service.client.importing import Importer
from service.client.lines import NDEJSON, NDJSON

SHOWN_FAILURES = 20


def export_documents(
    file: Annotated[
        Path,
        typer.Argument(
            help="Where to write, one document per line; *.gz is compressed; - is stdout."
        ),
    ],
    filter: Filter = None,
    fields: Annotated[str | None, typer.Option(help="Only these fields: a,b.c.")] = None,
    plain: Annotated[
        bool,
        typer.Option(
            "--json", help="Plain JSON: values of types that JSON lacks cannot be restored from it."
        ),
    ] = False,
    patience: Patience = 60,
    collection: Collection = DEFAULT_COLLECTION,
    url: Url = DEFAULT_URL,
) -> None:
    """Write documents to a file, sorted by their ids.

    They are written in Extended JSON, in which nothing is lost: stuff import stores the same
    documents again, whatever the types of their values and ids. If the connection breaks, the
    export is resumed. The file appears when it is complete.
    """

    async def run() -> None:
        # Compression takes more time than it saves, except on a slow connection.
        headers = authorization() | {"Accept-Encoding": "identity"}
        async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT, headers=headers) as client:
            exporter = Exporter(client, patience, NDJSON if plain else NDEJSON, collection)
            exporter.on_wait = waiting(patience)
            with progress() as (bar, task):
                if not bar.disable:
                    bar.update(task, total=await exporter.count(filter))
                exporter.on_progress = lambda so_far: bar.update(
                    task,
                    completed=so_far.documents,
                    documents=so_far.documents,
                    bytes=so_far.bytes,
                )
                start = time.monotonic()
                with target(file) as write:
                    await exporter.run(write, filter, fields)
            summary = exporter.summary
            again = f", resumed {summary.resumed} times" if summary.resumed else ""
            typer.echo(
                f"{summary.documents:,} documents exported, {decimal(summary.bytes)}"
                f"{_rate(summary.documents, start)}{again}.",
                err=True,
            )

    try:
        asyncio.run(run())
    except OSError as error:
        raise unusable(file, error) from None


def import_documents(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON documents, one per line or in an array; *.gz is decompressed; - is stdin."
        ),
    ],
    plain: Annotated[
        bool,
        typer.Option(
            "--json", help='Plain JSON: an object such as {"$date": ...} is stored as it is.'
        ),
    ] = False,
    requests: Annotated[int, typer.Option(min=1, max=64, help="Requests in flight at once.")] = 4,
    patience: Patience = 60,
    collection: Collection = DEFAULT_COLLECTION,
    url: Url = DEFAULT_URL,
) -> None:
    """Store the documents of a file.

    The file is Extended JSON, as stuff export writes it. JSON is read too: only an object that
    looks like a value of another type, such as {"$date": ...}, is stored as that value, unless
    --json is given. Each document is stored under its _id, or under a new one if it has none. If
    the connection breaks, documents are sent again, but none is created twice. The exit status is
    1 if any document could not be stored.
    """
    documents = DocumentFile(file)
    problem = None

    async def run() -> Importer:
        nonlocal problem
        limits = httpx.Limits(max_connections=requests)
        async with httpx.AsyncClient(
            base_url=url, timeout=TIMEOUT, limits=limits, headers=authorization()
        ) as client:
            importer = Importer(
                client, requests, patience, NDJSON if plain else NDEJSON, collection
            )
            importer.on_wait = waiting(patience)
            with progress(documents.size) as (bar, task):
                importer.on_progress = lambda so_far: bar.update(
                    task, completed=documents.position, documents=so_far.stored, bytes=so_far.bytes
                )
                try:
                    await importer.run(documents.records())
                except ClientError as error:
                    problem = str(error)
                except OSError as error:
                    problem = f"{error.filename or file}: {error.strerror or error}."
        return importer

    start = time.monotonic()
    summary = asyncio.run(run()).summary
    if problem is not None and not summary.stored and not summary.failed:
        raise fail(problem)
    for number, detail in summary.failures[:SHOWN_FAILURES]:
        typer.echo(f"{file}:{number}: {detail}", err=True)
    if summary.failed > SHOWN_FAILURES:
        typer.echo(f"... and {summary.failed - SHOWN_FAILURES:,} more", err=True)
    doubt = ""
    if summary.repeated:
        doubt = f"; {summary.repeated:,} were sent again and may count as replaced even if new"
    typer.echo(
        f"{summary.stored:,} documents imported ({summary.created:,} created, "
        f"{summary.replaced:,} replaced{doubt}), {summary.failed:,} failed, "
        f"{decimal(summary.bytes)}{_rate(summary.stored, start)}.",
        err=True,
    )
    if problem is not None:
        raise fail(f"The import is not complete. {problem}")
    if summary.failed:
        raise typer.Exit(1)


@contextmanager
def progress(total: int | None = None) -> Iterator[tuple[Progress, TaskID]]:
    """A progress bar, if standard error is a terminal."""
    columns: list[ProgressColumn] = [
        BarColumn(),
        TextColumn("{task.fields[documents]:,} documents"),
        _Bytes(),
        _Rate(),
        TimeRemainingColumn(),
    ]
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not sys.stderr.isatty()) as bar:
        yield bar, bar.add_task("", total=total, documents=0, bytes=0)


class _Bytes(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(decimal(task.fields["bytes"]))


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        seconds = task.elapsed or 0
        return Text(f"{task.fields['documents'] / seconds:,.0f}/s" if seconds > 0 else "")


def _rate(documents: int, start: float) -> str:
    seconds = time.monotonic() - start
    return f", {seconds:,.1f} s, {documents / max(seconds, 1e-3):,.0f}/s"
