"""What is in a database already: its collections, samples of their documents, their indexes.

It only reads, and needs no more than MongoDB's role `read`.
https://www.mongodb.com/docs/manual/reference/built-in-roles/#read
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo.errors import NetworkTimeout, OperationFailure, PyMongoError

from service.errors import ConfigurationError, DatabaseUnavailable
from service.mongo.database import Client, Database
from service.mongo.faults import TIME_LIMIT, is_transient
from service.mongo.limits import milliseconds
from service.mongo.outages import UNAUTHORIZED, as_fault, cause
from service.settings import Settings, rules

SAMPLE_BYTES = 32 * 1024 * 1024
"""Of a sample, as BSON. In memory their values take up to fifteen times as much."""
SAMPLE_SECONDS = 10.0

_OWN = ("system.", "enxcol_.")
"""How names of collections begin that MongoDB keeps for itself."""


@dataclass(frozen=True, slots=True)
class Existing:
    """A collection of the database."""

    name: str
    obstacle: str | None
    """Why it cannot be served: a sentence."""
    has_validator: bool


class ExistingDatabase:
    """What is in the database. Every method raises `ConfigurationError` if the user may not do
    this, and `DatabaseUnavailable`."""

    def __init__(self, client: Client, name: str) -> None:
        self._client = client
        self._database: AsyncIOMotorDatabase[Any] = client[name]

    async def collections(self) -> list[Existing]:
        """All collections and views, by their names."""
        with self._faults():
            found = [each async for each in await self._database.list_collections()]
        return sorted((_existing(each) for each in found), key=lambda each: each.name)

    async def count(self, name: str) -> int:
        """About how many documents the collection has."""
        with self._faults():
            limit = milliseconds(SAMPLE_SECONDS)
            count: int = await self._database[name].estimated_document_count(maxTimeMS=limit)
        return count

    async def sample(self, name: str, size: int) -> list[bytes]:
        """At most `size` documents (BSON), within `SAMPLE_BYTES` and `SAMPLE_SECONDS`: at random,
        or the last ones by `_id` if the database cannot do that, or not in half of the time."""
        start = time.monotonic()
        with self._faults():
            if drawn := await self._drawn(name, size, SAMPLE_SECONDS / 2):
                return drawn
            left = SAMPLE_SECONDS - (time.monotonic() - start)
            last = self._database[name].find(
                sort=[("_id", -1)], limit=size, max_time_ms=milliseconds(left)
            )
            return await _take(last, left)

    async def _drawn(self, name: str, size: int, seconds: float) -> list[bytes]:
        """Documents that the database draws at random; none if it cannot, or not in time.

        https://www.mongodb.com/docs/manual/reference/operator/aggregation/sample/
        """
        stage = {"$sample": {"size": size}}
        cursor = self._database[name].aggregate([stage], maxTimeMS=milliseconds(seconds))
        try:
            return await _take(cursor, seconds)
        except (TimeoutError, NetworkTimeout):
            return []
        except OperationFailure as error:
            is_late = error.code == TIME_LIMIT
            if error.code == UNAUTHORIZED or (is_transient(error) and not is_late):
                raise
            return []

    async def indexes(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        """The indexes by their names, as the driver describes them."""
        with self._faults():
            found: Mapping[str, Mapping[str, Any]] = await self._database[name].index_information()
        return found

    @contextmanager
    def _faults(self) -> Iterator[None]:
        name = self._database.name
        try:
            yield
        except PyMongoError as error:
            if isinstance(error, OperationFailure) and error.code == UNAUTHORIZED:
                detail = f"The user may not read the database {name!r}. It needs the role read."
                raise ConfigurationError("mongodb_uri", detail) from error
            if fault := as_fault(error, name):
                raise fault from error
            servers = self._client.delegate.topology_description.server_descriptions()
            raise DatabaseUnavailable(cause(error, servers.values())) from error
        except TimeoutError as error:
            raise DatabaseUnavailable("The database took too long.") from error


@asynccontextmanager
async def open_existing(settings: Settings, uri: str) -> AsyncIterator[ExistingDatabase]:
    """The database of the settings, as it is."""
    limited = settings.model_copy(update={"operation_timeout": SAMPLE_SECONDS})
    client = Database(limited, uri, ()).client
    try:
        yield ExistingDatabase(client, settings.database)
    finally:
        client.close()


async def _take(cursor: Any, seconds: float) -> list[bytes]:
    """The documents of the cursor; those that came in time, if there are any. Raises
    `TimeoutError`."""
    documents: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            async for document in cursor:
                size += len(document.raw)
                if documents and size > SAMPLE_BYTES:
                    break
                documents.append(bytes(document.raw))
    except TimeoutError:
        if not documents:
            raise
        return documents
    await cursor.close()
    return documents


def _existing(found: Mapping[str, Any]) -> Existing:
    name, options = found["name"], found.get("options", {})
    obstacle = None
    if name.startswith(_OWN):
        obstacle = "MongoDB keeps it for itself."
    elif found.get("type") == "view":
        obstacle = "It is a view."
    elif found.get("type") == "timeseries" or "timeseries" in options:
        obstacle = "It is a time series: its documents cannot be changed one by one."
    elif options.get("capped"):
        obstacle = "It is capped: MongoDB removes its documents, and they cannot grow."
    elif (locale := options.get("collation", {}).get("locale", "simple")) != "simple":
        obstacle = f"By its collation {locale!r}, ids that differ may be equal."
    else:
        try:
            rules.collection_name(name)
        except ValueError as error:
            obstacle = f"{error}."
    return Existing(name, obstacle, bool(options.get("validator")))
