"""Time limits of the driver's calls, and until when an unanswered write may still take effect.

`pymongo.timeout` bounds a call with all its attempts, and sends the time that is left with each
command as `maxTimeMS`, by which the database ends it. Motor's threads inherit it from the context
in which a call starts.
https://www.mongodb.com/docs/languages/python/pymongo-driver/current/connect/connection-options/csot/
"""

import time
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pymongo
from pymongo.errors import ExecutionTimeout
from pymongo.synchronous.pool import Connection

from service.mongo.faults import TIME_LIMIT, may_still_land

MARGIN = 1.0  # seconds, for the way to the database and for its clock
UNLIMITED = 600.0  # seconds: a thread of the driver is not held forever
WORK_SHARE = 0.8  # of the time of a transaction; the rest is for its commit, or to abort it
WEEK = 7 * 24 * 3600.0  # seconds


class Limits:
    """Limits to use around the start of calls."""

    def __init__(self, operation_timeout: float, *, driver_retries: bool) -> None:
        self._operation_timeout = operation_timeout
        self._driver_retries = driver_retries
        self.are_ignored = False
        """Whether the database continues to work after the time is over."""

    def reads(self) -> AbstractContextManager[None]:
        """The limit of reads: they end in the time that an operation may take."""
        return pymongo.timeout(self._operation_timeout)

    def writes(self) -> AbstractContextManager[None]:
        """The limit of writes: they take effect in the time that an operation may take, or not at
        all."""
        if self.are_ignored:
            return pymongo.timeout(UNLIMITED)  # it carries out the write, however late
        return pymongo.timeout(self._operation_timeout)

    def end_of_work(self, started: float) -> float:
        """When the work of a transaction has to end that started then (`time.monotonic`)."""
        return started + self._operation_timeout * WORK_SHARE

    def end(self, started: float) -> float:
        """When an operation has to end that started then (`time.monotonic`)."""
        return started + self._operation_timeout

    @contextmanager
    def work_of_transaction(self, started: float, at_most: float = UNLIMITED) -> Iterator[None]:
        """The limit of the work in a transaction, under that of `writes`. However often the work is
        retried, there is time left to abort the transaction: it would stay open, and keep others
        from writing its documents.

        `started` is when the transaction started (`time.monotonic`), `at_most` what one attempt
        may take, in seconds. Raises `ExecutionTimeout` if the time is over.
        """
        if self.are_ignored:
            yield
            return
        left = self.end_of_work(started) - time.monotonic()
        if left <= 0:
            raise ExecutionTimeout("no time is left for the work of the transaction", TIME_LIMIT)
        with pymongo.timeout(min(left, at_most)):
            yield

    def builds(self) -> AbstractContextManager[None]:
        """No limit in effect, for building an index. (Zero would mean the limit of the socket.)"""
        return pymongo.timeout(WEEK)

    def may_land_for(self, error: BaseException, started: float) -> float:
        """For how many seconds from now a write that ended with this error may still take effect.

        `started` is when it started (`time.monotonic`).
        """
        if not may_still_land(error, self._driver_retries):
            return 0.0
        if self.are_ignored:
            return MARGIN  # the database ended, or it closed the connection after the write
        deadline = started + self._operation_timeout
        return max(0.0, deadline - time.monotonic()) + MARGIN

    def may_delete_for(self, error: BaseException, started: float, max_seconds: float) -> float:
        """The same for a delete of many documents: the driver sends it only once, and the database
        works on it for at most `max_seconds`."""
        if not may_still_land(error, driver_retries=False):
            return 0.0
        if self.are_ignored or getattr(error, "code", None) == TIME_LIMIT:
            return MARGIN  # of mongos, for its shards
        return min(self.may_land_for(error, started), max_seconds + MARGIN)


def milliseconds(seconds: float) -> int:
    """At least 1: for MongoDB and its driver, a limit of 0 means none."""
    return max(1, int(seconds * 1000))


def _limit_every_command() -> None:
    """Make the driver send no `maxTimeMS` of 0, which it does when less than a millisecond of
    `pymongo.timeout` is left, and keep one that is lower than what is left.

    All commands under `pymongo.timeout` pass this method of the driver.
    """
    apply_timeout = Connection.apply_timeout

    def limited(connection: Connection, cmd: MutableMapping[str, Any] | None) -> float | None:
        own = None if cmd is None else cmd.get("maxTimeMS")
        timeout = apply_timeout(connection, cmd)
        if timeout is not None and cmd is not None:
            left = max(1, cmd["maxTimeMS"])
            cmd["maxTimeMS"] = min(own, left) if own else left
        return timeout

    Connection.apply_timeout = limited  # type: ignore[assignment, method-assign]


_limit_every_command()
