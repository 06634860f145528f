"""What a commit uses of a collection."""

from dataclasses import dataclass

from service.documents.ids import Ids
from service.documents.metadata import Layout
from service.documents.typed import Types
from service.mongo.access import CollectionAccess
from service.store.checking import Checks
from service.store.turns import Turns


@dataclass(frozen=True, slots=True, eq=False)
class Target:
    """A collection whose documents a commit may write."""

    name: str
    """In paths."""
    database: CollectionAccess
    turns: Turns
    ids: Ids
    layout: Layout
    checks: Checks | None
    has_metadata: bool
    read_only: bool

    @property
    def types(self) -> Types | None:
        """The BSON types that the schema gives to strings."""
        return None if self.checks is None else self.checks.types
