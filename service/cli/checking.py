"""`stuff check`: which documents of a collection do not fit its schema."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import httpx
import orjson
import typer

from service.cli.console import DEFAULT_URL, Filter, Patience, Url, fail, waiting
from service.cli.transfer import progress
from service.client.exporting import Exporter
from service.client.http import TIMEOUT, authorization
from service.client.lines import NDJSON
from service.declarations import read_declarations
from service.documents.schemas import Schema
from service.settings import Settings


def check(
    collection: Annotated[str, typer.Argument(help="The collection.")],
    collections: Annotated[
        Path,
        typer.Option(
            envvar="STUFF_COLLECTIONS",
            help="The file that declares the collection and its schema.",
            show_default=False,
        ),
    ],
    filter: Filter = None,
    patience: Patience = 60,
    url: Url = DEFAULT_URL,
) -> None:
    """List the documents that do not fit the schema of their collection.

    They were stored before the schema, or by other programs. A line has the id, the JSON Pointer of
    the place, and what should be there; up to twenty lines for each document. The exit status is 1
    if there are any. The schema is that of the file, so it can be tried before it is served.
    """
    declaration = read_declarations(Settings(collections=collections)).get(collection)
    if declaration is None:
        raise fail(f"{collections} declares no collection {collection!r}.", 2)
    if declaration.schema is None:
        raise fail(f"{collections} declares no schema for {collection!r}.", 2)
    unfit, documents = asyncio.run(_check(declaration.schema, collection, filter, patience, url))
    if unfit:
        raise fail(f"{unfit:,} of {documents:,} documents do not fit the schema.")
    typer.echo(f"{documents:,} documents checked; all fit the schema.", err=True)


async def _check(
    schema: Schema, collection: str, filter: str | None, patience: float, url: str
) -> tuple[int, int]:
    """How many documents do not fit, and how many there are."""
    unfit = 0

    def check_lines(lines: bytes) -> None:
        nonlocal unfit
        for line in lines.splitlines():
            document = orjson.loads(line)
            id = document.pop("_id")
            faults = schema.faults(document, len(line))
            unfit += bool(faults)
            for pointer, detail in faults:
                shown = id if isinstance(id, str) else orjson.dumps(id).decode()
                say(f"{shown} {pointer or '/'} {detail}")

    headers = authorization() | {"Accept-Encoding": "identity"}
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT, headers=headers) as client:
        exporter = Exporter(client, patience, NDJSON, collection)
        exporter.on_wait = waiting(patience)
        with progress() as (bar, task):
            # On a terminal, above the bar.
            say = bar.console.out if sys.stdout.isatty() and not bar.disable else typer.echo
            if not bar.disable:
                bar.update(task, total=await exporter.count(filter))
            exporter.on_progress = lambda so_far: bar.update(
                task, completed=so_far.documents, documents=so_far.documents, bytes=so_far.bytes
            )
            await exporter.run(check_lines, filter, None)
    return unfit, exporter.summary.documents
