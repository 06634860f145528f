"""`stuff index`: the indexes of a collection, directly in the database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import typer

from service.cli.console import DEFAULT_COLLECTION, Collection, fail
from service.cli.serving import read_settings
from service.declarations import read_declarations
from service.documents.ids import TEXT, TYPES, with_ids
from service.documents.query import Selection, decode_cursor, parse_filter, parse_sort
from service.errors import StuffError
from service.mongo.access import CollectionAccess
from service.mongo.database import open_database
from service.server.mongodb import shared_mongodb
from service.settings.names import unknown_settings
from service.store import indexes

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Manage the indexes of a collection."
)

Fields = Annotated[
    str, typer.Argument(help="Its fields, as in sort=: year,-name. _id is added as the last one.")
]


@app.command()
def create(
    fields: Fields,
    unique: Annotated[
        bool, typer.Option("--unique", help="Refuse documents with equal values. _id is not added.")
    ] = False,
    sparse: Annotated[
        bool, typer.Option("--sparse", help="Only include documents that have the fields.")
    ] = False,
    name: Annotated[
        str | None, typer.Option(help="Its name; by default it is derived from the fields.")
    ] = None,
    collection: Collection = DEFAULT_COLLECTION,
) -> None:
    """Create an index for a sort order, and for filters on its first fields.

    This may take a while. Documents can be read and written in the meantime.
    """

    async def run(database: CollectionAccess) -> None:
        index = indexes.serving(parse_sort(fields))
        if unique and fields != "_id":
            del index.keys["_id"]
        index = index.model_copy(update={"unique": unique, "sparse": sparse, "name": name})
        typer.echo(await indexes.create(database, index))

    _with_database(collection, run)


@app.command("list")
def list_all(collection: Collection = DEFAULT_COLLECTION) -> None:
    """List the indexes."""

    async def run(database: CollectionAccess) -> None:
        for index in await indexes.list_all(database):
            keys = ",".join(f"{'-' if order == -1 else ''}{path}" for path, order in index["key"])
            rest = {k: v for k, v in index.items() if k not in ("name", "key", "v", "ns")}
            typer.echo(f"{index['name']}: {keys}{' ' + json.dumps(rest) if rest else ''}")

    _with_database(collection, run)


@app.command()
def drop(
    name: Annotated[str, typer.Argument(help="The name of the index.")],
    collection: Collection = DEFAULT_COLLECTION,
) -> None:
    """Remove an index."""

    async def run(database: CollectionAccess) -> None:
        await indexes.drop(database, name)
        typer.echo(f"dropped {name}")

    _with_database(collection, run)


@app.command()
def explain(
    filter: Annotated[str, typer.Option(help="A filter in MongoDB's JSON.")] = "{}",
    sort: Annotated[str | None, typer.Option(help="Order by these fields: -year,name.")] = None,
    after: Annotated[str | None, typer.Option(help="The cursor of the page.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Number of documents in the page.")] = 100,
    collection: Collection = DEFAULT_COLLECTION,
) -> None:
    """Show how the database would find a page.

    IXSCAN reads an index, COLLSCAN the whole collection. SORT means that no index has the order.
    """

    async def run(database: CollectionAccess) -> None:
        order, query = parse_sort(sort), parse_filter(filter)
        declaration = read_declarations(read_settings())[collection]
        if declaration.types is not None:
            query = declaration.types.filter(query)
        if (ids := TYPES[declaration.id]) is not TEXT:
            query = with_ids(query, ids)
        key = None if after is None else decode_cursor(after, query, order, collection)
        for plan in await indexes.explain(database, Selection(query, order), limit, key):
            typer.echo(" <- ".join(_stages(plan)))

    _with_database(collection, run)


def _stages(plan: dict[str, Any]) -> list[str]:
    plan = plan.get("queryPlan", plan)
    name = plan.get("stage", "?")
    if "indexName" in plan:
        name += f" {plan['indexName']} {json.dumps(plan.get('indexBounds', {}), default=str)}"
    below = [plan["inputStage"]] if "inputStage" in plan else plan.get("inputStages", [])
    return [name, *(stage for child in below for stage in _stages(child))]


def _with_database(collection: str, run: Callable[[CollectionAccess], Awaitable[None]]) -> None:
    settings = read_settings()
    declaration = read_declarations(settings).get(collection)
    if declaration is None:
        raise fail(f"No collection {collection!r} is declared in STUFF_COLLECTIONS.", 2)
    name = declaration.mongodb
    for doubt in unknown_settings():
        typer.echo(doubt, err=True)

    async def connected(uri: str) -> None:
        async with open_database(settings, uri, [name]) as database:
            await run(CollectionAccess(database, name))

    try:
        with shared_mongodb(settings) as mongodb:
            typer.echo(f"In {settings.database}.{name} of {mongodb}:", err=True)
            asyncio.run(connected(mongodb.uri))
    except indexes.IndexFault as error:
        raise fail(str(error)) from None
    except StuffError as error:
        raise fail(f"{error.title}. {error.detail}") from None
