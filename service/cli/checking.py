"""`stuff check`: which documents of a collection do not fit its schema."""

import asyncio
import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import bson
import httpx
import orjson
import typer

from service.cli.console import DEFAULT_URL, Filter, Patience, Url, fail, waiting
from service.cli.transfer import progress
from service.client.exporting import Exporter
from service.client.http import TIMEOUT, authorization
from service.client.lines import NDEJSON, NDJSON
from service.declarations import Declaration, read_declarations
from service.documents import codec, extended_json, layout
from service.documents.ids import TYPES, Ids, with_texts
from service.documents.schemas import Fault, Schema
from service.documents.work import finished
from service.errors import DocumentTooLarge, InvalidDocument, SchemaViolation
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
    unfit, documents = asyncio.run(_check(declaration, filter, patience, url))
    if unfit:
        raise fail(f"{unfit:,} of {documents:,} documents do not fit the schema.")
    typer.echo(f"{documents:,} documents checked; all fit the schema.", err=True)


async def _check(
    declaration: Declaration, filter: str | None, patience: float, url: str
) -> tuple[int, int]:
    """How many documents do not fit, and how many there are."""
    schema = declaration.schema
    assert schema is not None
    examine, media_type = partial(_examined, schema), NDJSON
    if schema.types is not None:  # which the server may not know yet
        examine, media_type = partial(_examined_by_types, schema, TYPES[declaration.id]), NDEJSON
    unfit = 0

    def check_lines(lines: bytes) -> None:
        nonlocal unfit
        for line in lines.splitlines():
            id, faults = examine(line)
            unfit += bool(faults)
            for pointer, detail in faults:
                shown = id if isinstance(id, str) else orjson.dumps(id).decode()
                say(f"{shown} {pointer or '/'} {detail}")

    headers = authorization() | {"Accept-Encoding": "identity"}
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT, headers=headers) as client:
        exporter = Exporter(client, patience, media_type, declaration.collection)
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


def _examined(schema: Schema, line: bytes) -> tuple[Any, list[Fault]]:
    """The id of a document in JSON, and its faults."""
    document = orjson.loads(line)
    id = document.pop("_id")
    return id, schema.faults(document, len(line))


def _examined_by_types(schema: Schema, ids: Ids, line: bytes) -> tuple[Any, list[Fault]]:
    """The id of a document in Extended JSON, and its faults: whether its values have the types of
    the schema or are text that stands for them."""
    value = orjson.loads(line)
    id, faults = value.get("_id"), []
    try:
        values = finished(extended_json.loads(line))
        element, fields = layout.split(values if isinstance(values, bytes) else bson.encode(values))
        assert element is not None
        id = orjson.loads(with_texts(codec.dumps, ids)(layout.whole(element), None, None))["_id"]
        finished(schema.check(fields))
    except SchemaViolation as error:
        faults = error.faults
    except InvalidDocument as error:  # of types that only other programs store
        faults = [(error.pointer, error.detail)]
    except DocumentTooLarge as error:
        faults = [("", error.detail)]
    return id, faults
