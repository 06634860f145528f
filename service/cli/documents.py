"""`stuff get`, `put`, `delete` and `ls`: one document, and the list of them."""

import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from service.cli.console import (
    DEFAULT_COLLECTION,
    DEFAULT_URL,
    Collection,
    Filter,
    Url,
    unusable,
    write,
)
from service.client.http import checked, connect, document_path

Id = Annotated[str, typer.Argument(help="The document's id.")]
IfMatch = Annotated[
    str | None, typer.Option(help="Only if the document still has this entity tag.")
]
Fields = Annotated[str | None, typer.Option(help="Only these fields: a,b.c.")]


def get(
    id: Id,
    fields: Fields = None,
    meta: Annotated[
        bool,
        typer.Option("--meta", help="Also show the entity tag and the time of the last change."),
    ] = (False),
    collection: Collection = DEFAULT_COLLECTION,
    url: Url = DEFAULT_URL,
) -> None:
    """Show a document."""
    parameters = {"fields": fields} if fields else {}
    parameters |= {"meta": "true"} if meta else {}
    with connect(url) as http:
        response = http.get(document_path(collection, id), params=parameters)
        body = checked(response, "application/json").content
    if sys.stdout.isatty():
        Console().print_json(body.decode())
    else:
        write(body + b"\n")


def put(
    id: Id,
    file: Annotated[Path, typer.Argument(help="A file with the JSON; - is standard input.")] = (
        Path("-")
    ),
    if_match: IfMatch = None,
    create: Annotated[
        bool, typer.Option("--create", help="Only if it does not exist yet.")
    ] = False,
    collection: Collection = DEFAULT_COLLECTION,
    url: Url = DEFAULT_URL,
) -> None:
    """Store a document."""
    try:
        body = sys.stdin.buffer.read() if file == Path("-") else file.read_bytes()
    except OSError as error:
        raise unusable(file, error) from None
    headers = {"Content-Type": "application/json"}
    if if_match is not None:
        headers["If-Match"] = _quoted(if_match)
    if create:
        headers["If-None-Match"] = "*"
    with connect(url) as http:
        response = checked(http.put(document_path(collection, id), content=body, headers=headers))
    done = "created" if response.status_code == 201 else "replaced"
    etag = response.headers.get("etag", "").strip('"')
    typer.echo(f"{done} {id} {etag}")


def delete(
    id: Id,
    if_match: IfMatch = None,
    collection: Collection = DEFAULT_COLLECTION,
    url: Url = DEFAULT_URL,
) -> None:
    """Delete a document."""
    headers = {} if if_match is None else {"If-Match": _quoted(if_match)}
    with connect(url) as http:
        checked(http.delete(document_path(collection, id), headers=headers))
    typer.echo(f"deleted {id}")


def ls(
    prefix: Annotated[str, typer.Argument(help="Only ids that begin with this.")] = "",
    filter: Filter = None,
    sort: Annotated[str | None, typer.Option(help="Order by these fields: -year,name.")] = None,
    fields: Annotated[str | None, typer.Option(help="Print JSON with these fields: a,b.c.")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="At most this many documents.")] = None,
    collection: Collection = DEFAULT_COLLECTION,
    url: Url = DEFAULT_URL,
) -> None:
    """List the ids of documents, one per line; with --fields, JSON."""
    conditions = [] if filter is None else [filter]
    if prefix:
        last = prefix + "\U0010ffff"
        conditions.append(orjson.dumps({"_id": {"$gte": prefix, "$lt": last}}).decode())
    parameters: dict[str, str | int] = {"fields": fields or "_id"}
    if conditions:
        parameters["filter"] = (
            conditions[0] if len(conditions) == 1 else f'{{"$and":[{",".join(conditions)}]}}'
        )
    parameters |= {"sort": sort} if sort else {}
    parameters |= {"limit": limit} if limit else {}
    headers = {"Accept": "application/x-ndjson"}
    with (
        connect(url) as http,
        http.stream("GET", f"/{collection}", params=parameters, headers=headers) as response,
    ):
        if not response.is_success:
            response.read()
        checked(response, "application/x-ndjson")
        for line in response.iter_lines():
            typer.echo(line if fields else _shown(orjson.loads(line)["_id"]))


def _shown(id: object) -> str:
    return id if isinstance(id, str) else orjson.dumps(id).decode()


def _quoted(tag: str) -> str:
    return tag if tag == "*" or tag.endswith('"') else f'"{tag}"'
