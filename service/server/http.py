"""The HTTP options of uvicorn, for `stuff serve` and for tests."""

from typing import Any

from service.server.protocol import LimitedProtocol
from service.settings import Settings

KEEP_ALIVE = 75
"""Seconds that a connection may be idle. Most load balancers close idle connections after a minute.
So they never send a request on a connection that the service is closing."""


def http_options(settings: Settings) -> dict[str, Any]:
    """The arguments of `uvicorn.Config` that decide what clients see."""
    return {
        "http": LimitedProtocol,
        "ws": "none",
        "server_header": False,
        "root_path": settings.root_path,
        # Unless told which proxies to believe, uvicorn believes every client of this machine.
        "proxy_headers": bool(settings.forwarded_allow_ips),
        "forwarded_allow_ips": settings.forwarded_allow_ips,
        "timeout_keep_alive": KEEP_ALIVE,
    }
