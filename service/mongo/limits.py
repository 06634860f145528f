"""Time limits of the driver's calls, and until when an unanswered write may still take effect.

`pymongo.timeout` bounds a call with all its attempts, and sends the time that is left with each
command as `maxTimeMS`, by which the database ends it. Motor's threads inherit it from the context
in which a call starts.
https://www.mongodb.com/docs/languages/python/pymongo-driver/current/connect/connection-options/csot/
"""

import time
from contextlib import AbstractContextManager

import pymongo

from service.mongo.faults import may_still_land

MARGIN = 1.0  # seconds, for the way to the database and for its clock
UNLIMITED = 600.0  # seconds: a thread of the driver is not held forever
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

    def builds(self) -> AbstractContextManager[None]:
        """No limit in effect, for building an index. (Zero would mean the limit of the socket.)"""
        return pymongo.timeout(WEEK)

    def may_land_for(self, error: BaseException, started: float) -> float:
        """Seconds from now in which a write that ended with this error may still take effect.

        `started` is when it started (`time.monotonic`).
        """
        if not may_still_land(error, self._driver_retries):
            return 0.0
        if self.are_ignored:
            return MARGIN  # it has died, or broken the connection when it was done
        deadline = started + self._operation_timeout
        return max(0.0, deadline - time.monotonic()) + MARGIN
