"""Brings transactions into the journal of the embedded engine.

SecantusDB acknowledges a transaction that is not in its journal yet, whatever the write concern
says: if its process is killed then, the transaction is lost. Of its other writes it acknowledges
none before the journal has it, and all that comes before it. So such a write follows each
transaction.
"""

import random

from bson import ObjectId
from bson.raw_bson import RawBSONDocument
from pymongo import MongoClient, WriteConcern

DATABASE, COLLECTION = "local", "stuff_journal"
"""Where nothing is replicated, so that no feed tells of it."""
MARKS = 64
"""Documents, so that those who write at the same moment hardly ever wait for each other."""


def flush(client: MongoClient[RawBSONDocument]) -> None:
    """Return when the journal has everything that was acknowledged before. Raises the driver's
    errors."""
    marks = client.get_database(DATABASE, write_concern=WriteConcern(w=1, j=True))[COLLECTION]
    mark = {"_id": random.randrange(MARKS)}  # noqa: S311 (no secret)
    marks.replace_one(mark, mark | {"changed": ObjectId()}, upsert=True)
