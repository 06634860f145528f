"""Reads a change stream of the database, in a thread of its own."""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from pymongo.change_stream import ChangeStream
from pymongo.errors import OperationFailure, PyMongoError

from service.errors import DatabaseUnavailable, FeedGone, FeedUnsupported, InvalidParameter
from service.mongo.database import Database
from service.mongo.faults import BAD_QUERIES, bad_query
from service.store.feed.changes import Change, Interrupted, Position, read_change, resume_token

log = logging.getLogger(__name__)

MAX_AWAIT = 0.5  # seconds that the database waits for a change before it answers that there is none
REST = 0.025  # seconds between two looks under load: each costs much more than a change does
BATCH_SIZE = 1000
RETRY_INTERVAL = 0.5  # seconds
JOIN_TIMEOUT = 5.0  # seconds

# https://www.mongodb.com/docs/manual/reference/error-codes/
NOT_A_REPLICA_SET = {40573, 115, 303}
HISTORY_LOST = {280, 286, 136, 222}
INVALID_TOKEN = {2, 9, 50811, 260, 40649, 40647}


class Source:
    """Hands changes over to the event loop, in batches and in order."""

    def __init__(
        self,
        database: Database,
        pipeline: list[dict[str, Any]],
        *,
        on_changes: Callable[[Sequence[Change], Position], None],
        on_gap: Callable[[], None],
    ) -> None:
        self._database = database
        self._pipeline = pipeline
        self._on_changes = on_changes
        self._on_gap = on_gap
        self._loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[Position] = self._loop.create_future()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="feed")

    async def start(self) -> Position:
        """Begin with what happens from now on; returns where that is.

        Raises `FeedUnsupported` and `DatabaseUnavailable`.
        """
        self._thread.start()
        return await self._opened

    async def stop(self) -> None:
        self._stopping.set()
        await asyncio.to_thread(self._thread.join, JOIN_TIMEOUT)

    def _run(self) -> None:
        position: Position | None = None
        while not self._stopping.is_set():
            try:
                self._read(position)
            except _Reopen as reopen:
                position = reopen.position
                if position is not None:
                    self._stopping.wait(RETRY_INTERVAL)
            except Exception as error:
                if not self._opened.done():
                    self._hand(self._fail, error)
                    return
                log.exception("The feed is interrupted, and begins anew.")
                self._hand(self._on_gap)
                position = None
                self._stopping.wait(RETRY_INTERVAL)

    def _read(self, position: Position | None) -> None:
        """Read until something happens. Raises `_Reopen` to go on behind a position."""
        is_first = position is None
        try:
            now = self._database.cluster_time()
            after = None if position is None else resume_token(position)
            with self._database.change_stream(
                self._pipeline, after, int(MAX_AWAIT * 1000), BATCH_SIZE
            ) as stream:
                if position is None:
                    position = Position(now, _token(stream))
                if not self._opened.done():
                    self._hand(self._settle, position)
                elif is_first:  # there was a gap
                    self._hand(self._on_changes, [], position)
                while not self._stopping.is_set():
                    asked = time.perf_counter()
                    changes = _next_batch(stream)
                    if changes:
                        position = changes[-1].position
                    else:
                        position = Position(position.time, _token(stream))
                    self._hand(self._on_changes, changes, position)
                    # Some databases answer at once that there is nothing, when others write.
                    if changes or time.perf_counter() - asked < REST:
                        self._stopping.wait(REST)
        except Interrupted:
            self._gap()
        except OperationFailure as error:
            if error.code in HISTORY_LOST | INVALID_TOKEN and position is not None:
                self._gap()
            if error.code in NOT_A_REPLICA_SET:
                raise FeedUnsupported from error
            if not self._opened.done():
                raise _refused_filter(error) from error
            log.warning("The feed is interrupted, and goes on: %s", error)
            raise _Reopen(position) from error
        except PyMongoError as error:
            if not self._opened.done():
                raise DatabaseUnavailable("The database is away. Try again.") from error
            log.warning("The feed is interrupted, and goes on: %s", error)
            raise _Reopen(position) from error

    def _gap(self) -> None:
        """Nobody can go on: begin anew."""
        self._hand(self._on_gap)
        raise _Reopen(None)

    def _settle(self, position: Position) -> None:
        if not self._opened.done():
            self._opened.set_result(position)

    def _fail(self, error: Exception) -> None:
        if not self._opened.done():
            self._opened.set_exception(error)

    def _hand(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:  # the event loop is closed
            self._stopping.set()


class _Reopen(Exception):
    def __init__(self, position: Position | None) -> None:
        super().__init__()
        self.position = position


async def catch_up(
    database: Database, pipeline: list[dict[str, Any]], position: Position
) -> "CatchUp":
    """A change stream behind a position in the past.

    Raises `FeedGone` if the database has forgotten it, `InvalidParameter` if it never knew it, and
    `DatabaseUnavailable`.
    """
    return CatchUp(database, await asyncio.to_thread(_open, database, pipeline, position))


def _open(database: Database, pipeline: list[dict[str, Any]], position: Position) -> Any:
    try:
        return database.change_stream(pipeline, resume_token(position), 50, BATCH_SIZE)
    except PyMongoError as error:
        raise _refused(error) from error


def _refused_filter(error: OperationFailure) -> Exception:
    """Why a change stream cannot begin, though no position was given that could be at fault."""
    if error.code in BAD_QUERIES:
        return bad_query(error)
    log.warning("The feed cannot begin: %s", error)
    return DatabaseUnavailable("The feed cannot begin. Try again.")


def _refused(error: PyMongoError) -> Exception:
    code = getattr(error, "code", None)
    if code in HISTORY_LOST:
        return FeedGone()
    if code in INVALID_TOKEN:
        return InvalidParameter(
            "last_event_id",
            "The database does not know this event. Leave it out to begin with what happens now.",
        )
    if code in NOT_A_REPLICA_SET:
        return FeedUnsupported()
    return DatabaseUnavailable("The database is away. Try again.")


def _token(stream: ChangeStream[Any]) -> str:
    """Where the stream has come to, also when nothing happened there."""
    token = stream.resume_token
    if token is None:
        raise FeedUnsupported
    return str(token["_data"])


def _next_batch(stream: ChangeStream[Any]) -> list[Change]:
    """What the database answers at once; nothing if it has waited in vain."""
    changes = []
    event = stream.try_next()
    while event is not None:
        change = read_change(event)
        if change is not None:
            changes.append(change)
        # Asking further would make what there is wait for what is to come.
        event = stream.try_next() if stream._cursor._has_next() else None
    return changes


class CatchUp:
    """Reads what has happened; to be closed."""

    def __init__(self, database: Database, stream: Any) -> None:
        self._database = database
        self._stream = stream

    async def next_batch(self) -> list[Change]:
        """Some more changes; none if there are no more by now. Raises what `catch_up` raises."""
        return await asyncio.to_thread(self._next_batch)

    def _next_batch(self) -> list[Change]:
        try:
            return _next_batch(self._stream)
        except Interrupted:
            raise FeedGone from None
        except PyMongoError as error:
            raise _refused(error) from error

    async def close(self) -> None:
        with suppress(PyMongoError):
            await asyncio.shield(asyncio.to_thread(self._stream.close))
