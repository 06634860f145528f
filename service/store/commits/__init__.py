"""Commits: writes of several documents, in one collection or in several, all of them or none.

What holds, and why:

All writes of a commit take effect at one moment, or none does.
    They are in one transaction of the database (`mongo.transactions`).
No write comes between what a commit reads and what it writes.
    The transaction reads a snapshot, and fails if another one has written one of its documents
    since; then it is done again (`Transactions.run`). A `check` writes too, so that this holds for
    documents that a commit only depends on (`planning.touched`).
The writes of one id go in the order of their arrival, whether they come alone or in commits.
    A commit has the turns of all its ids while it runs. It enters all their queues in one step of
    the event loop, so that no two of them can wait for each other (`store.turns.Turn`).
However many writes a commit has, it does not keep others waiting for long.
    It makes one read and one bulk for each collection (`attempt`).
"""

from service.store.commits.binding import bind, target_of
from service.store.commits.changes import Applied, Change
from service.store.commits.commits import Commits
from service.store.commits.target import Target

__all__ = ["Applied", "Change", "Commits", "Target", "bind", "target_of"]
