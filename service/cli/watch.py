"""`stuff watch`: the feed, one event per line."""

from typing import Annotated

import orjson
import typer

from service.cli.console import (
    DEFAULT_COLLECTION,
    DEFAULT_URL,
    Collection,
    Patience,
    Url,
    fail,
    waiting,
)
from service.client.http import connect, document_path
from service.client.watching import TIMEOUT, Event, follow


def watch(
    id: Annotated[str | None, typer.Argument(help="Only this document.")] = None,
    filter: Annotated[
        str | None,
        typer.Option(help="Only puts of documents that match: a filter in MongoDB's JSON."),
    ] = None,
    last_event_id: Annotated[
        str | None, typer.Option(help="Start after the event with this id.")
    ] = None,
    ids: Annotated[bool, typer.Option("--ids", help="Also print the id of each event.")] = False,
    patience: Patience = 60,
    collection: Collection = DEFAULT_COLLECTION,
    url: Url = DEFAULT_URL,
) -> None:
    """Print changes to documents as they happen, until Ctrl-C.

    If the connection breaks, it is opened again, and no change is missed.
    """
    if id is not None and filter is not None:
        raise fail("A filter selects documents: it cannot be used with an id.", 2)
    path = f"/{collection}" if id is None else document_path(collection, id)
    try:
        with connect(url, TIMEOUT) as client:
            for event in follow(client, path, filter, last_event_id, patience, waiting(patience)):
                typer.echo(f"{event.id} {line(event)}" if ids else line(event))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def line(event: Event) -> str:
    """`put ID DOCUMENT` or `delete ID`."""
    change = orjson.loads(event.data)
    id = change["_id"] if isinstance(change["_id"], str) else orjson.dumps(change["_id"]).decode()
    document = "" if change["document"] is None else f" {orjson.dumps(change['document']).decode()}"
    return f"{event.kind} {id}{document}"
