"""One change stream of the database."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

from service.errors import DatabaseUnavailable, FeedGone, FeedUnsupported, StuffError
from service.mongo.access import ChangeStream, CollectionAccess
from service.mongo.faults import BAD_QUERIES, DriverError, bad_query, described
from service.store.feed.changes import Change, Interrupted, read_change
from service.store.feed.positions import Position

log = logging.getLogger(__name__)

BATCH_SIZE = 1000
CLOSE_TIMEOUT = 5.0  # seconds

# https://www.mongodb.com/docs/manual/reference/error-codes/
UNSUPPORTED = {40573, 115, 238, 303, 40324}
"""Not a replica set; CommandNotSupported, NotImplemented, FeatureNotSupported, unknown stage."""
HISTORY_LOST = 286  # ChangeStreamHistoryLost
ENDED = {280, 136, 222}  # ChangeStreamFatalError, CappedPositionLost, CloseChangeStream
INVALID_TOKEN = {2, 9, 13, 50811, 260, 40649, 40647}
TOO_LARGE = 10334  # BSONObjectTooLarge: the event of one change has more than 16 MiB

Result = TypeVar("Result")


class Stream:
    """Reads a change stream in a thread of its own: waiting for changes, it would hold one of those
    in which the driver reads documents. Close it even if it could not be opened.

    One coroutine uses it at a time. `open` and `next_batch` raise `FeedGone`, `FeedUnsupported`,
    `InvalidParameter` if the database refuses the filter, and `DatabaseUnavailable` for transient
    errors; after any of these the stream can only be closed.
    """

    def __init__(
        self, database: CollectionAccess, pipeline: list[dict[str, Any]], max_await: float
    ) -> None:
        self._database = database
        self._pipeline = pipeline
        self._max_await_ms = int(max_await * 1000)
        self._executor = ThreadPoolExecutor(1, thread_name_prefix="feed")
        self._stream: ChangeStream | None = None
        self._position: Position | None = None
        self._is_interrupted = False
        self.is_forgotten = False  # the database no longer has the position where it should begin

    @property
    def position(self) -> Position:
        """Where the stream has come to, even if no change is there. After `next_batch` it is before
        the end of the collection, so that whoever resumes here learns of that end."""
        assert self._position is not None, "the stream is not open"
        return self._position

    async def open(self, after: Position | None) -> None:
        """Begin after this position, or now."""
        await self._in_thread(self._open, after)

    async def next_batch(self) -> list[Change]:
        """The database's next answer. An empty one does not mean that there are no more changes by
        now: mongos gives it while one of its shards is idle. What is certain is `position`."""
        return await self._in_thread(self._next_batch)

    async def close(self) -> None:
        """Close the stream. Returns when the database has answered, or after `CLOSE_TIMEOUT`."""
        with suppress(TimeoutError, DriverError):
            async with asyncio.timeout(CLOSE_TIMEOUT):
                await asyncio.shield(self._in_thread(self._close))
        self._executor.shutdown(wait=False)

    async def _in_thread(self, function: Callable[..., Result], *arguments: Any) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, function, *arguments)

    def _open(self, after: Position | None) -> None:
        with self._faults(after, is_open=False):
            self._stream = self._database.change_stream(
                self._pipeline,
                None if after is None else {"_data": after.token},
                self._max_await_ms,
                BATCH_SIZE,
            )
            self._position = after
            if after is None:
                # The stream itself says where it has begun. The time of another command would be
                # earlier, and changes in between would be missed. A first batch that is not empty
                # leaves no token: then the feed begins after the changes in it.
                while self._stream.resume_token is None:
                    self._read(self._stream)
                self._position = _position(self._stream, 0)

    def _next_batch(self) -> list[Change]:
        assert self._stream is not None
        with self._faults(self._position, is_open=True):
            changes = self._read(self._stream)
        if self._is_interrupted:
            self._position = changes[-1].position  # the driver's is after the end
        else:
            time = changes[-1].position.time if changes else self.position.time
            self._position = _position(self._stream, time)
        return changes

    def _read(self, stream: ChangeStream) -> list[Change]:
        """All changes of the next answer. Raises `Interrupted` after the last one before the end of
        the collection."""
        if self._is_interrupted:
            raise Interrupted
        changes: list[Change] = []
        event = stream.try_next()
        if event is None and stream.resume_token is None:
            raise FeedUnsupported  # the database has no tokens to resume by
        while event is not None:
            try:
                change = read_change(event)
            except Interrupted:
                if not changes:
                    raise
                self._is_interrupted = True
                break
            if change is not None:
                changes.append(change)
            # Another request would delay these changes until later ones arrive.
            event = stream.try_next() if stream._cursor._has_next() else None
        return changes

    @contextmanager
    def _faults(self, after: Position | None, *, is_open: bool) -> Iterator[None]:
        """Raise the driver's errors as the feed's."""
        try:
            yield
        except Interrupted:
            raise FeedGone("The collection was dropped or renamed.") from None
        except DriverError as error:
            self.is_forgotten = getattr(error, "code", None) == HISTORY_LOST
            raise _fault(error, after, is_open=is_open) from error

    def _close(self) -> None:
        if self._stream is not None:
            self._stream.close()


def _position(stream: ChangeStream, time: int) -> Position:
    token = stream.resume_token
    assert token is not None
    return Position(time, str(token["_data"]))


def _fault(error: DriverError, after: Position | None, *, is_open: bool) -> StuffError:
    """The driver's error as one of the feed's."""
    code = getattr(error, "code", None)
    if code == TOO_LARGE:
        return FeedGone("A change is too large for an event of the feed.")
    if code == HISTORY_LOST or code in ENDED:
        return FeedGone()
    if code in UNSUPPORTED:
        return FeedUnsupported()
    if not is_open and after is not None and code in INVALID_TOKEN:
        return FeedGone("The database does not know this event.")
    if not is_open and after is None and code in BAD_QUERIES:
        return bad_query(error)  # type: ignore[arg-type]
    log.warning("The change stream was interrupted and is opened again: %s", described(error))
    return DatabaseUnavailable("The database does not answer. Try again.")
