"""Names and addresses of this machine that no other machine can reach."""

import re
from functools import lru_cache
from ipaddress import ip_address

MAX_HOST_BYTES = 300
"""Longer than any DNS name with a port. Longer values are not cached."""

_HOST = re.compile(r"(?:\[([^][]*)\]|([^][:]*))(?::\d*)?")


def is_loopback(address: str) -> bool:
    """Whether the IP address is a loopback address. Raises `ValueError` if it is not an address."""
    ip = ip_address(address)
    return (getattr(ip, "ipv4_mapped", None) or ip).is_loopback


def names_this_machine(host: bytes) -> bool:
    """Whether the value of `Host` is a loopback address or a name below `localhost`, which nobody
    can make resolve to another address (RFC 6761, section 6.3); with or without a port."""
    return len(host) <= MAX_HOST_BYTES and _names_this_machine(host)


@lru_cache(maxsize=256)
def _names_this_machine(host: bytes) -> bool:
    match = _HOST.fullmatch(host.decode("latin-1").lower())
    if match is None:
        return False
    name = (match[1] or match[2] or "").removesuffix(".")
    if name == "localhost" or name.endswith(".localhost"):
        return match[2] is not None
    try:
        return is_loopback(name)
    except ValueError:
        return False
