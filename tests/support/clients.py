"""Clients over real connections, which wait long and are quickly made."""

from typing import Any

from httpx import AsyncClient, Client

from tests.support.patience import TIMEOUT

# Nothing here is HTTPS. Without `verify`, each client reads all the certificates of the world: more
# work than the requests of most tests.
OPTIONS: dict[str, Any] = {"timeout": TIMEOUT, "verify": False}


def connect(url: str, **options: Any) -> AsyncClient:
    return AsyncClient(base_url=url, **OPTIONS | options)


def connect_blocking(url: str, **options: Any) -> Client:
    """For tests and threads that are not asynchronous."""
    return Client(base_url=url, **OPTIONS | options)
