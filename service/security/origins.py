"""Protects a service without keys from the web pages that are open on its machine.

Every program of the machine may use such a service. The scripts of web pages run on the machine
too, but strangers wrote them. So each request must name this machine in `Host`: otherwise the
author of a page could let a name of their own resolve to 127.0.0.1, and the page would have the
same origin as the service (DNS rebinding). Browsers also say where a request comes from, which must
be one of:

- our own pages, or an origin that the settings allow. Browsers send `Origin` with every request
  that can write, and `Sec-Fetch-Site` with those that cannot;
- anywhere, for a navigation by GET, so that links work. A page can neither read what another window
  shows nor put ours into a frame.

Other programs send `Host` only.

https://fetch.spec.whatwg.org/#origin-header
https://www.w3.org/TR/fetch-metadata/
"""

from collections.abc import Iterable

from service.errors import LocalOnly
from service.security.loopback import names_this_machine

_FIELDS = {b"host", b"origin", b"sec-fetch-site", b"sec-fetch-mode"}
_REMEDY = "create an API key (stuff key create), or set STUFF_INSECURE to let anyone do anything."


class Origins:
    """Whose web pages may use a service without keys."""

    def __init__(self, allowed: str) -> None:
        """`allowed` are origins, separated by commas, or `*`."""
        self._allowed = {origin.strip().encode() for origin in allowed.split(",") if origin.strip()}

    def check(self, method: str, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Raise `LocalOnly` if the request may come from a web page of a stranger.

        The names of the header fields are in lower case.
        """
        host: bytes | None = None  # HTTP/1.0 does without
        sent: dict[bytes, bytes] = {}
        for name, value in headers:  # twice as fast as a comprehension
            if name in _FIELDS:
                if name == b"host":
                    host = value
                else:
                    sent[name] = value
        if host is not None and not names_this_machine(host):
            raise LocalOnly(
                "This server has no API keys, so it serves its own machine only, under names such "
                f"as localhost or 127.0.0.1. For other names its operator can {_REMEDY}"
            )
        if not sent or self._may_send(method, host or b"", sent):
            return
        raise LocalOnly(
            "This server has no API keys, so no web page but its own may use it. Its operator can "
            f"allow the page's origin (STUFF_CORS_ORIGINS), {_REMEDY}"
        )

    def _may_send(self, method: str, host: bytes, sent: dict[bytes, bytes]) -> bool:
        if method == "GET" and sent.get(b"sec-fetch-mode", b"").lower() == b"navigate":
            return True
        origin = sent.get(b"origin")
        if origin is None:
            # `same-site` is another server of this machine.
            return sent.get(b"sec-fetch-site", b"none").lower() in (b"same-origin", b"none")
        own = (b"http://" + host, b"https://" + host)
        return origin in own or not self._allowed.isdisjoint((origin, b"*"))
