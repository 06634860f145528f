"""Authentication and authorization: who may do what.

Each endpoint declares which scopes it needs, `read`, `write`, both or one of them (`decisions`);
keys and tokens may have these for one collection only (`scopes`). A request has the scopes of its
API key (`keys`), or of its token, which an issuer has signed (`tokens`). The `Gate` returns them,
and `service.web.access` compares. `key_file` changes the file of keys. Without keys and tokens, the
service is for its own machine (`loopback`), but not for the web pages that are open on it
(`origins`).
"""

from service.security.decisions import (
    PUBLIC,
    READ,
    SCOPES,
    WRITE,
    Decision,
    decision_of,
    public,
    reads,
    reads_or_writes,
    writes,
    writes_anywhere,
)
from service.security.gate import Gate
from service.security.key_file import KeyFile
from service.security.keys import KeyFault, id_of_key, make_key, parse_keys
from service.security.origins import Origins
from service.security.scopes import is_scope, scoped, scopes_anywhere, scopes_in

__all__ = [
    "PUBLIC",
    "READ",
    "SCOPES",
    "WRITE",
    "Decision",
    "Gate",
    "KeyFault",
    "KeyFile",
    "Origins",
    "decision_of",
    "id_of_key",
    "is_scope",
    "make_key",
    "parse_keys",
    "public",
    "reads",
    "reads_or_writes",
    "scoped",
    "scopes_anywhere",
    "scopes_in",
    "writes",
    "writes_anywhere",
]
