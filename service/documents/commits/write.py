"""One write of a commit, and what belongs to each kind of write."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from service.documents.preconditions import Preconditions

Op = Literal["put", "create", "merge", "json_patch", "update", "delete", "check"]

CONTENTS: Mapping[str, str | None] = {
    "put": "document",
    "create": "document",
    "merge": "patch",
    "json_patch": "operations",
    "update": "operators",
    "delete": None,
    "check": None,
}
"""The member that each kind of write needs, by its `op`."""
CONDITIONS = ("if_match", "if_none_match")
COMMON = ("op", "collection", "id")
DEFAULT_COLLECTION = "stuff"


@dataclass(frozen=True, slots=True)
class Write:
    """A write as it was sent: it is known to have what its kind needs, but not whether the content
    is valid."""

    index: int
    """In the commit, from 0."""
    op: Op
    collection: str
    id: str | None
    """None for a document that gets a new id."""
    content: bytes
    """The JSON of what its kind needs; empty if that is nothing."""
    preconditions: Preconditions

    @property
    def member(self) -> str | None:
        """The member that has the content."""
        return CONTENTS[self.op]

    @property
    def compares(self) -> bool:
        """Whether its outcome tells what is stored, and not only whether there is a document."""
        return self.op == "check" or self.preconditions.compare_content()
