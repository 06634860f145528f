"""Authentication and authorization: who may do what.

Each endpoint declares which scopes it needs, `read`, `write` or both (`decisions`). A request has
the scopes of its API key (`keys`), or of its token, which an issuer has signed (`tokens`). The
`Gate` returns them, and `service.web.access` compares. `key_file` changes the file of keys. Without
keys and tokens, the service is for its own machine (`loopback`), but not for the web pages that are
open on it (`origins`).
"""

from service.security.decisions import PUBLIC, READ, SCOPES, decision_of, public, reads, writes
from service.security.gate import Gate
from service.security.key_file import KeyFile
from service.security.keys import KeyFault, id_of_key, make_key, parse_keys
from service.security.origins import Origins

__all__ = [
    "PUBLIC",
    "READ",
    "SCOPES",
    "Gate",
    "KeyFault",
    "KeyFile",
    "Origins",
    "decision_of",
    "id_of_key",
    "make_key",
    "parse_keys",
    "public",
    "reads",
    "writes",
]
