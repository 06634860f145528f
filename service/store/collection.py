"""A collection: documents of one kind, at one path, and all that can be done with them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from service.mongo.access import CollectionAccess
from service.settings import Settings
from service.store.batching import open_batchers
from service.store.budget import Budget
from service.store.feed import Encode, Feed, open_feed
from service.store.indexes import indexing
from service.store.loads import Loader
from service.store.points import PointOperations
from service.store.queries import Queries
from service.store.slices import Slices
from service.store.turns import Turns


@dataclass(frozen=True, slots=True)
class Collection:
    """What routers do with a collection, by the kind of operation."""

    points: PointOperations
    queries: Queries
    loader: Loader
    feed: Feed
    slices: Slices


@asynccontextmanager
async def open_collection(
    database: CollectionAccess, settings: Settings, budget: Budget, encode: Encode
) -> AsyncIterator[Collection]:
    """The collection for a lifespan: its batchers, its feed, and its indexes in the background.

    `budget` is that of the process, `encode` returns the event of a change, as bytes.
    """
    async with AsyncExitStack() as stack:
        turns = Turns(database)
        reads, writes = await stack.enter_async_context(open_batchers(database, turns, settings))
        feed = await stack.enter_async_context(
            open_feed(database, settings.max_subscribers, encode)
        )
        if settings.indexes is not None:
            await stack.enter_async_context(indexing(database, settings.indexes))
        slices = Slices()
        yield Collection(
            PointOperations(database, reads, writes, turns, budget, slices),
            Queries(database, turns, settings.query_timeout),
            Loader(database, turns, budget, slices, settings.max_body_bytes),
            feed,
            slices,
        )
