"""What the database can do, determined once, when the service starts."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from bson.raw_bson import RawBSONDocument
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from pymongo import ReadPreference
from pymongo.errors import ConfigurationError as DriverConfigurationError
from pymongo.errors import OperationFailure

from service.errors import ConfigurationError
from service.mongo.faults import TRANSIENT, is_transient

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """How databases that speak MongoDB's protocol differ."""

    ignores_limits: bool = False
    """Whether it continues to work after the time limit (`maxTimeMS`)."""
    limits_patterns: bool = True
    """Whether it gives up matching a regular expression after a number of steps."""
    has_transactions: bool = False
    journals_late: bool = False
    """Whether it acknowledges transactions before they are in the journal (`mongo.journal`)."""
    scans_for_expressions: bool = False
    """Whether it looks at all documents for a query with `$expr`, even if that has an `_id`."""


async def detect_capabilities(
    client: AsyncIOMotorClient[RawBSONDocument],
    database: AsyncIOMotorDatabase[RawBSONDocument],
    collections: Sequence[str],
) -> Capabilities:
    """Find out what the database can do. Raises `ConfigurationError` if one of the collections
    cannot be served, and the driver's errors."""
    for collection in collections:
        await database[collection].find_one({"_id": ""})  # raises if the service has no access
        setting = "collection" if collection == collections[0] else "collections"
        await _check_collation(database, collection, setting)
    build = await database.command("buildInfo")
    is_embedded = "secantusVersion" in build
    return Capabilities(
        ignores_limits=is_embedded,
        limits_patterns=not is_embedded,
        journals_late=is_embedded,
        scans_for_expressions=is_embedded,
        has_transactions=await _has_transactions(client, database, collections[0]),
    )


async def _check_collation(
    database: AsyncIOMotorDatabase[RawBSONDocument], collection: str, setting: str
) -> None:
    """With a default collation, ids that differ only in case or accents may be equal.

    https://www.mongodb.com/docs/manual/reference/collation/
    """
    try:
        reply = await database.command("listCollections", filter={"name": collection})
    except OperationFailure as error:
        if is_transient(error):
            raise
        log.warning("The collation of the collection cannot be determined: %s", error)
        return
    for found in reply["cursor"]["firstBatch"]:
        collation = found.get("options", {}).get("collation", {})
        locale = collation.get("locale", "simple")
        if locale != "simple":
            raise ConfigurationError(
                setting,
                f"The collection {collection!r} has the default collation {locale!r}, by which "
                "ids and contents that differ may be equal. Copy the documents to a collection "
                "without one.",
            )


async def _has_transactions(
    client: AsyncIOMotorClient[RawBSONDocument],
    database: AsyncIOMotorDatabase[RawBSONDocument],
    collection: str,
) -> bool:
    """Tries a transaction that reads a document: what `hello` says is not enough."""
    hello = await database.command("hello")
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        return False
    try:
        async with (
            await client.start_session() as session,
            # Whatever the URI says, a transaction reads from the primary.
            session.start_transaction(read_preference=ReadPreference.PRIMARY),
        ):
            await database[collection].find_one({"_id": ""}, session=session)
    except DriverConfigurationError:  # no sessions
        return False
    except OperationFailure as error:
        if error.code in TRANSIENT:
            raise
        log.info("The database has no transactions: %s", error)
        return False
    return True
