"""The changes that a commit makes, and what came of them."""

from dataclasses import dataclass

from service.documents.commits import Write
from service.documents.ids import Id, canonical
from service.documents.patches import Patch
from service.documents.updates import Update
from service.store.commits.target import Target


@dataclass(frozen=True, slots=True)
class Change:
    """A write of a commit as a change of a document in a collection."""

    write: Write
    target: Target
    id: Id
    fields: bytes = b""
    """BSON, of a document to put or to create."""
    patch: Patch | None = None
    update: Update | None = None

    @property
    def index(self) -> int:
        return self.write.index

    @property
    def size(self) -> int:
        """Bytes in memory."""
        changes = (self.patch, self.update)
        return len(self.fields) + sum(each.size for each in changes if each is not None)

    @property
    def is_patch(self) -> bool:
        """Whether the outcome depends on what is in the document."""
        return self.patch is not None or self.update is not None

    @property
    def reads(self) -> bool:
        """Whether the outcome tells what is in the document."""
        return any(each is not None and each.reads for each in (self.patch, self.update))

    @property
    def needs_current(self) -> bool:
        """Whether the document has to be read before."""
        return self.write.op != "put" or self.write.preconditions.guard_writes()


@dataclass(frozen=True, slots=True)
class Applied:
    """A change that was made."""

    change: Change
    created: bool
    etag: str | None
    """None if the document was deleted."""

    @property
    def id(self) -> str:
        """The canonical string of the document's id."""
        return canonical(self.change.id)
