"""Which scope an endpoint needs, declared where the endpoint is defined."""

from collections.abc import Callable
from typing import Any, TypeVar

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

PUBLIC, READ, WRITE = "public", "read", "write"
SCOPES = (READ, WRITE)
_DECISION = "__access__"


def _decide(decision: str) -> Callable[[Endpoint], Endpoint]:
    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _DECISION, decision)
        return endpoint

    return mark


public, reads, writes = _decide(PUBLIC), _decide(READ), _decide(WRITE)
"""Decorators of endpoints: open to all, or to keys of a scope."""


def decision_of(endpoint: Callable[..., Any]) -> str | None:
    """What the endpoint declares: `public`, `read` or `write`; None if it declares nothing."""
    return getattr(endpoint, _DECISION, None)
