"""`stuff introspect`: a file of declarations, made of the collections that exist."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import fail, unusable
from service.declarations.drafts import Drafts
from service.declarations.file import MAX_COLLECTIONS
from service.declarations.naming import is_path_name
from service.documents.inference import Doubt, infer
from service.errors import StuffError, json_pointer
from service.mongo.existing import Existing, ExistingDatabase, open_existing
from service.server.checks import doubts
from service.server.mongodb import shared_mongodb
from service.settings import Settings

STDOUT = Path("-")


def introspect(
    collection: Annotated[
        list[str] | None,
        typer.Option(
            help="A collection, by its name in the database; may be given several times. Without "
            "it, all collections.",
            show_default=False,
        ),
    ] = None,
    sample: Annotated[
        int, typer.Option(min=1, max=100_000, help="Documents of each collection to look at.")
    ] = 1000,
    output: Annotated[Path, typer.Option(help="The file to write; - is stdout.")] = Path(
        "collections.json"
    ),
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a file that declares the collections of a database, with schemas of their documents.

    It looks at some documents of each collection in the database of STUFF_MONGODB_URI, only reads,
    and needs no more than MongoDB's role read. What it says of a collection holds for the documents
    that it has looked at. What it is not sure of is listed on standard error. Serve the file with
    STUFF_COLLECTIONS.
    """
    if output != STDOUT and output.exists() and not force:
        raise fail(f"{output} exists. Choose another --output, or replace it with --force.")
    settings = Settings()
    for doubt in doubts(settings):
        _say(doubt)
    drafts = Drafts(settings)
    try:
        with shared_mongodb(settings) as mongodb:
            _say(f"In {settings.database} of {mongodb}:")
            count = asyncio.run(_draft(settings, mongodb.uri, collection, sample, drafts))
    except StuffError as error:
        raise fail(f"{error.title}. {error.detail}") from None
    if not count:
        raise fail("There is no collection to declare.")
    drafts.check()
    _write(drafts.text(), output, force=force)
    if output != STDOUT:
        declared = f"{count} collection{'s' if count > 1 else ''}"
        _say(f"{output} declares {declared}. Serve it: STUFF_COLLECTIONS={output} stuff serve")


async def _draft(
    settings: Settings, uri: str, wanted: list[str] | None, size: int, drafts: Drafts
) -> int:
    """Draft the collections. Returns how many there are."""
    count = 0
    async with open_existing(settings, uri) as database:
        existing = await database.collections()
        if missing := set(wanted or ()) - {each.name for each in existing}:
            raise fail(f"There is no collection {min(missing)!r}.")
        # Those that keep their name come first: no other one may take it.
        for each in sorted(existing, key=lambda each: not is_path_name(each.name)):
            if wanted and each.name not in wanted:
                continue
            if count == MAX_COLLECTIONS:
                _skip(each.name, f"A file declares at most {MAX_COLLECTIONS} collections.")
            elif each.obstacle is not None:
                _skip(each.name, each.obstacle)
            else:
                count += await _draft_one(database, each, size, drafts)
    return count


async def _draft_one(
    database: ExistingDatabase, existing: Existing, size: int, drafts: Drafts
) -> bool:
    """Draft a collection. Returns False if it is empty."""
    documents = await database.sample(existing.name, size)
    if not documents:
        _skip(existing.name, "It is empty.")
        return False
    total = max(await database.count(existing.name), len(documents))
    inferred = infer(documents)
    name, found = drafts.add(existing.name, inferred, await database.indexes(existing.name))
    if existing.has_validator:
        found.append(Doubt((), "MongoDB checks writes with a validator of its own, too."))
    if faults := drafts.faults(name, documents):
        drafts.drop_schema(name)
        found.append(Doubt(("schema",), f"Left out, since documents do not fit: {faults[0]}"))
    _say(f"{_shown(existing.name)}: {len(documents):,} of {total:,} documents, at /{name}.")
    for doubt in found:
        place = json_pointer(doubt.place)
        _say(_shown(f"  {place}{': ' if place else ''}{doubt.detail}"))
    return True


def _write(text: str, output: Path, *, force: bool) -> None:
    if output == STDOUT:
        sys.stdout.write(text)
        return
    try:
        with output.open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise unusable(output, error) from None


def _skip(name: str, reason: str) -> None:
    _say(f"{_shown(name)}: skipped. {reason}")


def _shown(text: str) -> str:
    """With escapes for what would change a terminal, since names are data."""
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in text)


def _say(text: str) -> None:
    typer.echo(text, err=True)
