"""A collection: documents of one kind, at one path, and all that can be done with them."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from service.declarations import Declaration
from service.documents import codec, extended_json
from service.documents.codec import Dumps
from service.documents.ids import TEXT, TYPES, with_texts
from service.documents.metadata import Layout, WithMetadata, WithoutMetadata
from service.mongo.access import CollectionAccess
from service.mongo.database import Database
from service.settings import Settings
from service.store.batching import Batching, Reads, Writes, open_batching
from service.store.budget import Budget
from service.store.checking import Checks
from service.store.commits import Commits, Target
from service.store.feed import Change, Feed, Feeds, open_feeds
from service.store.idempotency import Records, SingleWrites, preparing
from service.store.indexes import indexing
from service.store.loads import Loader
from service.store.points import PointOperations
from service.store.queries import Queries
from service.store.slices import Slices
from service.store.turns import Turns

EncodeChange: TypeAlias = Callable[[Dumps, Change], bytes]
"""Returns the event of a change, with the document as the collection writes it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the collections of a process share, so that its bounds hold for all of them together."""

    settings: Settings
    budget: Budget
    slices: Slices
    batching: Batching
    feeds: Feeds


class Collection:
    """What routers do with a collection, by the kind of operation."""

    def __init__(
        self,
        declaration: Declaration,
        database: CollectionAccess,
        bounds: Bounds,
        encode: EncodeChange,
    ) -> None:
        turns = Turns(database)
        budget, slices = bounds.budget, bounds.slices
        checks = None if declaration.schema is None else Checks(declaration.schema, slices)
        self.name = declaration.collection
        self.ids = ids = TYPES[declaration.id]
        self.types = types = declaration.types
        self.dumps: Dumps
        """Writes a stored document as JSON."""
        self.dumps = codec.dumps if types is None else partial(codec.dumps, show=types.show_at_once)
        self.dumps_extended: Dumps = extended_json.dumps
        """Writes a stored document as Extended JSON."""
        if ids is not TEXT:
            self.dumps = with_texts(self.dumps, ids)
            self.dumps_extended = extended_json.dumps_typed
        self.layout: Layout = WithMetadata() if declaration.metadata else WithoutMetadata()
        self.slices = slices
        self.target = Target(
            self.name,
            database,
            turns,
            ids,
            self.layout,
            checks,
            has_metadata=declaration.metadata,
            read_only=declaration.read_only,
        )
        self.points = PointOperations(
            database,
            Reads(database, bounds.batching),
            Writes(database, turns, bounds.batching),
            turns,
            budget,
            slices,
            ids,
            self.layout,
            checks,
        )
        self.single = SingleWrites(self.target, slices)
        """The writes of one document that are not idempotent, as work of a transaction."""
        self.queries = Queries(self.name, database, turns, bounds.settings.query_timeout)
        self.loader = Loader(
            database,
            turns,
            budget,
            slices,
            bounds.settings.max_body_bytes,
            ids,
            self.layout,
            checks,
        )
        self.feed: Feed = bounds.feeds.of(database, partial(encode, self.dumps))


@dataclass(frozen=True, slots=True)
class Collections:
    """All collections of a process."""

    by_name: Mapping[str, Collection]
    """By the names in paths."""
    feeds: Feeds
    commits: Commits
    records: Records


@asynccontextmanager
async def open_collections(
    database: Database,
    declarations: Mapping[str, Declaration],
    settings: Settings,
    budget: Budget,
    encode: EncodeChange,
) -> AsyncIterator[Collections]:
    """The collections for a lifespan: their batchers, their feeds, and their indexes in the
    background.

    `budget` is that of the process, `encode` returns the event of a change, as bytes.
    """
    async with AsyncExitStack() as stack:
        batching = await stack.enter_async_context(open_batching(settings))
        feeds = await stack.enter_async_context(open_feeds(settings.max_subscribers))
        bounds = Bounds(settings, budget, Slices(), batching, feeds)
        by_name: dict[str, Collection] = {}
        for name, declaration in declarations.items():
            access = CollectionAccess(database, declaration.mongodb)
            by_name[name] = Collection(declaration, access, bounds, encode)
            if declaration.indexes:
                await stack.enter_async_context(indexing(access, declaration.indexes))
        targets = {name: each.target for name, each in by_name.items()}
        commits = Commits(database, targets, budget, bounds.slices)
        records = Records(database, budget)
        if not all(declaration.read_only for declaration in declarations.values()):
            await stack.enter_async_context(preparing(records))
        yield Collections(by_name, feeds, commits, records)
