"""What is done in a transaction."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from service.documents.ids import Key
from service.mongo.transactions import Transaction
from service.store.budget import Claim
from service.store.turns import Turns

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Work(Generic[Made]):
    """Writes that belong together."""

    entries: Sequence[tuple[Turns, Key]]
    """The ids of the documents, each with the turns of its collection."""
    make: Callable[[Transaction, Claim], Awaitable[Made]]
    """Makes the writes; called again if the transaction conflicts with another one. The claim is
    for all documents in memory."""
