"""The database that is measured, if it is there already."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pymongo import MongoClient

PREFIX = "stuff_bench_"
"""Of the names of databases that this benchmark makes on a server of others."""


@dataclass(frozen=True)
class Database:
    """Where the servers that are measured keep their documents."""

    uri: str
    name: str

    def durable(self) -> "Database":
        """The same one, with the service's write concern for every client."""
        head, _, options = self.uri.partition("?")
        scheme, _, rest = head.partition("://")
        path = "" if "/" in rest else "/"
        concern = "&".join(filter(None, [options, "w=majority&journal=true"]))
        return Database(f"{scheme}://{rest}{path}?{concern}", self.name)


@contextmanager
def existing(uri: str) -> Iterator[Database]:
    """A new database on the server at `uri`, which is dropped at the end. Its name is random, so
    that it is nobody else's, whatever database the URI names."""
    name = PREFIX + secrets.token_hex(6)
    with MongoClient[Any](uri) as mongo:
        try:
            yield Database(uri, name)
        finally:
            mongo.drop_database(name)


def engine_of(mongo: MongoClient[Any]) -> str:
    """What stores the documents, with its version."""
    build = mongo.server_info()
    own = build.get("secantusVersion")
    return f"SecantusDB {own}" if own else f"MongoDB {build['version']}"
