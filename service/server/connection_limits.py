"""The connections of a process: how many there are, how many bytes wait for clients to read, and
how many belong to heads that are not complete.

When there are too many, a new connection replaces the one that has been idle longest.
"""

import logging
import resource
from collections import OrderedDict
from typing import Protocol

from service.settings import Settings

log = logging.getLogger(__name__)
OTHER_FILES = 256
"""Files that a process opens beside its connections: those of the database, the log, the engine."""
FEWEST = 16
MAX_HEAD_BYTES = 64 * 1024 * 1024
"""Of all heads of requests that are not complete, beyond 4 KiB each. Most heads arrive at once."""


class Connection(Protocol):
    """A connection that can be ended at once."""

    def drop(self) -> None: ...


class Held:
    """Bytes that are kept for connections. Beyond `most`, the one that has held some for the
    longest time is dropped."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._total = 0
        self._sizes: OrderedDict[Connection, int] = OrderedDict()

    def hold(self, connection: Connection, size: int) -> None:
        """Count these bytes, in place of those that were counted for the connection before."""
        self._total += size - self._sizes.get(connection, 0)
        self._sizes[connection] = size
        while self._total > self._most and len(self._sizes) > 1:
            oldest = next(iter(self._sizes))
            self.release(oldest)
            oldest.drop()

    def release(self, connection: Connection) -> None:
        """Stop counting bytes of this connection."""
        self._total -= self._sizes.pop(connection, 0)


class Connections:
    """All connections. A connection is idle while no request of it is being served: also while a
    request is still arriving, and while the connection is being closed."""

    def __init__(self, most: int, most_unread_bytes: int) -> None:
        self._most = most
        self._open = 0
        self._idle: OrderedDict[Connection, None] = OrderedDict()
        self._unread = Held(most_unread_bytes)
        self.heads = Held(MAX_HEAD_BYTES)

    def open(self, connection: Connection) -> bool:
        """Count a new connection, which is idle. The oldest idle one is dropped if there are too
        many. False if all of them are busy, so that the new one should be refused."""
        self._open += 1
        has_room = self._open <= self._most
        if not has_room and self._idle:
            has_room = True
            self._idle.popitem(last=False)[0].drop()
        self._idle[connection] = None
        return has_room

    def begin(self, connection: Connection) -> None:
        """The connection serves a request."""
        self._idle.pop(connection, None)

    def end(self, connection: Connection) -> None:
        """The connection is idle from now on."""
        self._idle[connection] = None

    def hold(self, connection: Connection, size: int) -> None:
        """Count bytes that are kept until the client reads. If all connections keep too many, drop
        the clients that have not read for the longest time."""
        self._unread.release(connection)
        self._unread.hold(connection, size)

    def release(self, connection: Connection) -> None:
        """Stop counting these bytes: the client has read, or is gone."""
        self._unread.release(connection)

    def close(self, connection: Connection) -> None:
        """The connection has ended."""
        self._open -= 1
        self._idle.pop(connection, None)
        self.heads.release(connection)
        self.release(connection)


def open_connections(settings: Settings) -> Connections:
    """The connections that these settings, and the limit of the process on open files, allow."""
    most = allowed(settings.max_connections)
    if most < settings.max_connections:
        log.warning(
            "STUFF_MAX_CONNECTIONS is %d, but the limit on open files (ulimit -n) allows %d",
            settings.max_connections,
            most,
        )
    return Connections(most, settings.max_unread_bytes)


def allowed(connections: int) -> int:
    """The connections, or as many of them as the process may open. Raises its limit on open files
    as far as the system allows: many systems start processes with a limit of 1024 (`setrlimit(2)`).
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + OTHER_FILES
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return connections
    raised = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if raised > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (raised, hard))
    return min(connections, max(raised - OTHER_FILES, FEWEST))
