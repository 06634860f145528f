"""Who may do what.

Each endpoint says which scope it needs, `read` or `write` (`decisions`). A request has the scopes
of its API key (`keys`), or of its token, which somebody else has made (`tokens`). The `Gate` tells
which.
"""

from service.security.decisions import PUBLIC, SCOPES, decision_of, public, reads, writes
from service.security.gate import Gate
from service.security.keys import KeyFault, make_key, parse_keys

__all__ = [
    "PUBLIC",
    "SCOPES",
    "Gate",
    "KeyFault",
    "decision_of",
    "make_key",
    "parse_keys",
    "public",
    "reads",
    "writes",
]
