"""Commits as they are sent: several writes, which happen together or not at all."""

from service.documents.commits.faults import placed
from service.documents.commits.parsing import MAX_WRITES, parse_commit
from service.documents.commits.write import Op, Write

__all__ = ["MAX_WRITES", "Op", "Write", "parse_commit", "placed"]
