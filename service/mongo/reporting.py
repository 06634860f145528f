"""The state of the database as metrics."""

import asyncio

from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient

from service.mongo.readiness import Readiness
from service.observability import metrics

INTERVAL = 1.0  # seconds, as between the driver's own looks at the servers


async def report(client: MongoClient[RawBSONDocument], readiness: Readiness) -> None:
    """Set the metrics again and again, until this is cancelled.

    The driver could tell of each connection as it is taken and returned, but that costs a tenth of
    an operation.
    """
    try:
        while True:
            if readiness.is_reached:
                metrics.database_up.set(client.topology_description.has_writable_server())
                metrics.database_connections.set(_connections_in_use(client))
            await asyncio.sleep(INTERVAL)
    finally:
        metrics.database_up.set(0)
        metrics.database_connections.set(0)


def _connections_in_use(client: MongoClient[RawBSONDocument]) -> int:
    # There is no topology until the first connection: a name of `mongodb+srv` is not looked up yet.
    # Another thread may add or remove a server.
    return sum(server.pool.active_sockets for server in list(client._topology._servers.values()))
