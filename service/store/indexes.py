"""Indexes of a collection: those that are declared, made when the service starts, or single ones.

https://www.mongodb.com/docs/manual/reference/command/createIndexes/
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from service.declarations.indexes import Index
from service.documents.query import EVERYTHING, Selection, Sort, SortKey
from service.errors import DatabaseUnavailable
from service.mongo.access import CollectionAccess
from service.mongo.faults import DriverError, described, translated

log = logging.getLogger(__name__)

RETRY_INTERVAL = 5.0  # seconds


class IndexFault(Exception):
    """An index cannot be created; the message says why."""


def serving(sort: Sort) -> Index:
    """The index that serves an order; read backwards, it serves the opposite one too."""
    return Index(keys={path: 1 if direction == 1 else -1 for path, direction in sort.fields})


async def create(database: CollectionAccess, index: Index) -> str:
    """Create the index if it does not exist, and return its name. Does not block reads and writes.

    Raises `IndexFault`, e.g. if another index has the name, and `DatabaseUnavailable`.
    """
    collection = database.collection
    try:
        # On a large collection this may take any time.
        with database.limits.builds():
            name = await collection.create_index(list(index.keys.items()), **index.options())
    except DriverError as error:
        raise _fault(error) from error
    return str(name)


async def apply(database: CollectionAccess, indexes: Sequence[Index]) -> None:
    """Create all of them, in the background, retrying until the database is available."""
    for index in indexes:
        while True:
            try:
                name = await create(database, index)
            except DatabaseUnavailable:
                await asyncio.sleep(RETRY_INTERVAL)
                continue
            except IndexFault as error:
                reason = described(error.__cause__ or error)
                log.error(
                    "The index %s of %s could not be created: %s",
                    dict(index.keys),
                    database.collection.name,
                    reason,
                )
            else:
                log.info("The index %s of %s exists.", name, database.collection.name)
            break


@asynccontextmanager
async def indexing(database: CollectionAccess, declared: Sequence[Index]) -> AsyncIterator[None]:
    """Creates the declared indexes in the background."""
    task = asyncio.create_task(apply(database, declared))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def list_all(database: CollectionAccess) -> list[dict[str, Any]]:
    """The existing indexes, as MongoDB describes them. Raises `DatabaseUnavailable`."""
    async with database.operation():
        found = await database.collection.index_information()
    return [{"name": name, **dict(description)} for name, description in sorted(found.items())]


async def drop(database: CollectionAccess, name: str) -> None:
    """Remove an index. Raises `IndexFault` and `DatabaseUnavailable`."""
    async with database.operation():
        try:
            await database.collection.drop_index(name)
        except DriverError as error:
            raise _fault(error) from error


async def explain(
    database: CollectionAccess, selection: Selection, limit: int, after: SortKey | None = None
) -> list[dict[str, Any]]:
    """How the database would find a page: the winning plan of each command that a page needs.

    https://www.mongodb.com/docs/manual/reference/explain-results/
    """
    collection = database.collection
    ranges = [EVERYTHING] if after is None else list(selection.sort.ranges_after(after))
    plans = []
    for range in ranges:
        command = {
            "find": collection.name,
            "filter": selection.conditions(range),
            "sort": dict(selection.sort.fields),
            "limit": limit + 1,
        }
        async with database.query():
            reply = await collection.database.command(
                {"explain": command, "verbosity": "queryPlanner"}
            )
        plans.append(reply["queryPlanner"]["winningPlan"])
    return plans


def _fault(error: DriverError) -> Exception:
    ours = translated(error)
    if isinstance(ours, DatabaseUnavailable):
        return ours
    details = getattr(error, "details", None) or {}
    return IndexFault(f"MongoDB says: {details.get('errmsg', error)}.")
