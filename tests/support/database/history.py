"""What happened to a collection, as change streams of mongos tell it.

https://www.mongodb.com/docs/manual/changeStreams/
https://www.mongodb.com/docs/manual/administration/change-streams-production-recommendations/
"""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bson import Timestamp
from bson.int64 import Int64

from tests.support.database.answers import Exchange, Reply, error
from tests.support.database.events import Event, Operation, end, event_of, events_of
from tests.support.database.server import PlayedDatabase
from tests.support.database.signals import Signal
from tests.support.database.tokens import high_water_mark, is_event, is_token

FIRST_CURSOR = 7_000_000_000_000_000_000
"""The ids of these cursors are greater, those of a real database hardly ever."""
MAX_AWAIT = 1.0  # seconds that a stream waits for an event, unless it is told otherwise


@dataclass
class _Cursor:
    position: str
    """What has a token after it is still to be told."""
    batch_size: int = 101
    spares: int = 0
    """So many empty batches have come since the last event."""


class History:
    """Answers the change streams of one collection, and their cursors. From any thread.

    The `$match` of a stream is not looked at: it tells everything.
    """

    def __init__(
        self, database: PlayedDatabase, name: str = "demo", collection: str = "stuff"
    ) -> None:
        self._database = database
        self._namespace = {"db": name, "coll": collection}
        self._events: list[Event] = []
        self._cursors: dict[int, _Cursor] = {}
        self._next_cursor = FIRST_CURSOR
        self._frozen: dict[int, Timestamp] = {}
        self._horizon = high_water_mark(Timestamp(0, 0))
        self._lock = threading.RLock()
        self._changed = Signal()
        self.empty_batches = 0
        """So many empty batches come before each that is not, though there are events to tell."""
        database.always("aggregate", self._open, when=self._is_stream)
        database.always("getMore", self._next, when=_is_ours)
        database.always("killCursors", self._kill, when=_is_ours)

    def happened(self, *operations: Operation, shard: int = 0) -> list[str]:
        """Each by itself, one after the other. Returns their tokens."""
        with self._lock:
            events = [
                event_of(operation, self._database.clock.tick(), self._namespace, shard)
                for operation in operations
            ]
            return self._add(events)

    def committed(self, *operations: Operation, shard: int = 0) -> list[str]:
        """All in one transaction: their events have one cluster time. Returns their tokens."""
        with self._lock:
            time = self._database.clock.tick()
            return self._add(events_of(operations, time, self._namespace, shard))

    def dropped(self) -> list[str]:
        """The collection was dropped, which ends the streams. Returns the tokens."""
        with self._lock:
            return self._add(end(self._database.clock.tick(), self._namespace))

    def freeze(self, shard: int) -> None:
        """The shard is idle or slow: events of others that are later than this moment are held
        back, since something of this shard may come before them."""
        with self._lock:
            self._frozen[shard] = self._database.clock.now

    def thaw(self, shard: int) -> None:
        """The shard has told how far it has come."""
        with self._lock:
            del self._frozen[shard]
        self._changed.notify()

    def forget(self) -> None:
        """Nobody can resume after what has happened so far: the oplog has rolled over."""
        self._horizon = high_water_mark(self._database.clock.tick())

    def lose_cursors(self) -> None:
        """As when mongos is replaced: its cursors are not found any more."""
        self._cursors.clear()

    def _add(self, events: list[Event]) -> list[str]:
        self._events += events
        self._changed.notify()
        return [event.token for event in events]

    def _is_stream(self, command: Mapping[str, Any]) -> bool:
        [first, *_] = command["pipeline"] or [{}]
        namespace = {"db": command["$db"], "coll": command["aggregate"]}
        return "$changeStream" in first and namespace == self._namespace

    def _open(self, exchange: Exchange) -> Reply:
        stage = exchange.command["pipeline"][0]["$changeStream"]
        position = self._position(stage)
        if not isinstance(position, str):
            return position
        id = self._next_cursor = self._next_cursor + 1
        cursor = self._cursors[id] = _Cursor(position)
        cursor.batch_size = exchange.command["cursor"].get("batchSize", cursor.batch_size)
        return self._batch(id, "firstBatch")

    def _position(self, stage: Mapping[str, Any]) -> str | Reply:
        """Where a stream begins, or why it cannot."""
        if "startAtOperationTime" in stage:
            position = high_water_mark(stage["startAtOperationTime"])
        elif given := stage.get("resumeAfter") or stage.get("startAfter"):
            position = given["_data"]
            if not is_token(position):
                return error(50811, "KeyString format error: Unknown type")
            found = [event for event in self._events if event.token == position]
            if "resumeAfter" in stage and found and found[0].is_last:
                return error(260, "resumeAfter is not allowed from an invalidate notification")
            if is_event(position) and not found and position >= self._horizon:
                return error(280, "cannot resume stream; the resume token was not found.")
        else:
            now = self._database.clock.now
            return high_water_mark(Timestamp(now.time, now.inc + 1))
        if position < self._horizon:
            return error(
                286,
                "Resume of change stream was not possible, as the resume point may no"
                " longer be in the oplog.",
            )
        return position

    async def _next(self, exchange: Exchange) -> Reply:
        id = exchange.command["getMore"]
        cursor = self._cursors.get(id)
        if cursor is None:
            return error(43, f"cursor id {id} not found")
        cursor.batch_size = exchange.command.get("batchSize", cursor.batch_size)
        seconds = exchange.command.get("maxTimeMS", MAX_AWAIT * 1000) / 1000
        if not await self._changed.wait_for(lambda: bool(self._told(cursor)), seconds):
            # A cluster at rest writes a no-op now and then, so that streams know where they are.
            self._database.clock.tick()
        return self._batch(id, "nextBatch")

    def _frontier(self) -> Timestamp:
        """Up to here all shards have told what happened."""
        return min([self._database.clock.now, *self._frozen.values()])

    def _told(self, cursor: _Cursor) -> list[Event]:
        """What the cursor is yet to tell, and may: nothing later than what all shards have told."""
        frontier = self._frontier()
        found = [
            event
            for event in self._events
            if event.token > cursor.position and event.time <= frontier
        ]
        found.sort(key=lambda event: event.token)
        ends = [index for index, event in enumerate(found, 1) if event.is_last]
        return found[: ends[0]] if ends else found

    def _batch(self, id: int, kind: str) -> Reply:
        cursor = self._cursors[id]
        with self._lock:
            frontier, told = self._frontier(), self._told(cursor)
        if told and cursor.spares < self.empty_batches:
            cursor.spares += 1
            return self._reply(id, kind, [], cursor.position)
        batch = told[: cursor.batch_size]
        if batch:
            cursor.spares = 0
            cursor.position = batch[-1].token
            if batch[-1].is_last:
                del self._cursors[id]
                return self._reply(0, kind, batch, cursor.position)
        if len(batch) == len(told):
            cursor.position = max(cursor.position, high_water_mark(frontier))
        return self._reply(id, kind, batch, cursor.position)

    def _reply(self, id: int, kind: str, batch: Sequence[Event], token: str) -> Reply:
        return {
            "cursor": {
                kind: [event.document for event in batch],
                "postBatchResumeToken": {"_data": token},
                "id": Int64(id),
                "ns": ".".join(self._namespace.values()),
            }
        }

    def _kill(self, exchange: Exchange) -> Reply:
        ids = exchange.command["cursors"]
        for id in ids:
            self._cursors.pop(id, None)
        return {
            "cursorsKilled": ids,
            "cursorsNotFound": [],
            "cursorsAlive": [],
            "cursorsUnknown": [],
        }


def _is_ours(command: Mapping[str, Any]) -> bool:
    ids = command.get("cursors") or [command.get("getMore", 0)]
    return all(id > FIRST_CURSOR for id in ids)
