"""Checks of the head of a request that do not depend on its route."""

import re
from collections.abc import Iterable

from service.errors import BadRequest

FIELD_BYTES = 32
"""What a header field counts beside its name and its value, as in HTTP/2 (RFC 9113, section 6.5.2).
So there is a limit on their number too."""
MAX_PARAMETERS = 100
"""Query parameters of a request: more than any resource has."""

# https://www.rfc-editor.org/rfc/rfc3986#section-3.2.2, with a port
_HOST = re.compile(rb"(\[[0-9A-Za-z:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?")


def check_head(version: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Raise `BadRequest` unless this is HTTP/1.1 or 1.0, to one host (RFC 9112, section 3.2)."""
    if version not in ("1.0", "1.1"):
        raise BadRequest(f"HTTP/{version} is not supported. Send HTTP/1.1.")
    hosts: list[bytes] = []
    codings: list[bytes] = []
    for name, value in headers:
        if name == b"host":
            hosts.append(value)
        elif name == b"transfer-encoding":
            codings.append(value.lower())
    if len(hosts) > 1 or (not hosts and version == "1.1"):
        raise BadRequest("A request must have exactly one Host. Send one.")
    if hosts and not _HOST.fullmatch(hosts[0].strip()):
        raise BadRequest("Host is malformed. Send the name or address of the server.")
    if codings and codings != [b"chunked"]:  # the parser undoes no other (RFC 9112, section 6.1)
        raise BadRequest(
            "The only supported transfer coding is chunked. Compress by gzip in "
            "Content-Encoding instead."
        )


def check_query(query: bytes) -> None:
    """Raise `BadRequest` if there are more query parameters than are parsed."""
    if query.count(b"&") >= MAX_PARAMETERS:
        raise BadRequest(f"A request has at most {MAX_PARAMETERS} query parameters. Send fewer.")
