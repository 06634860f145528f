"""The time of a cluster.

https://www.mongodb.com/docs/manual/reference/method/db.runCommand/#response
"""

import threading
import time
from collections.abc import Mapping
from typing import Any

from bson import Timestamp

from tests.support.database.roles import NO_SIGNATURE


class Clock:
    """The latest operation that a cluster has done, which goes on only if it is told. From any
    thread."""

    def __init__(self) -> None:
        self.now = Timestamp(int(time.time()), 1)
        self._lock = threading.Lock()

    def tick(self) -> Timestamp:
        """Another operation: returns its time."""
        with self._lock:
            self.now = Timestamp(self.now.time, self.now.inc + 1)
            return self.now

    def see(self, reply: Mapping[str, Any]) -> None:
        """Be no earlier than what another database says."""
        there = reply.get("$clusterTime", {}).get("clusterTime")
        with self._lock:
            if there is not None and there > self.now:
                self.now = there

    def stamp(self) -> dict[str, Any]:
        """What the reply of a cluster carries."""
        return {
            "$clusterTime": {"clusterTime": self.now, "signature": NO_SIGNATURE},
            "operationTime": self.now,
        }
