"""Which scopes an endpoint needs, declared where the endpoint is defined."""

from collections.abc import Callable
from typing import Any, TypeVar

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

READ, WRITE = "read", "write"
SCOPES = (READ, WRITE)
PUBLIC: frozenset[str] = frozenset()
_DECISION = "__access__"


def _decide(*scopes: str) -> Callable[[Endpoint], Endpoint]:
    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _DECISION, (decision_of(endpoint) or PUBLIC).union(scopes))
        return endpoint

    return mark


public, reads, writes = _decide(), _decide(READ), _decide(WRITE)
"""Decorators of endpoints: open to all, or to keys with a scope, or, if two are used, with both."""


def decision_of(endpoint: Callable[..., Any]) -> frozenset[str] | None:
    """The scopes that the endpoint declares, `PUBLIC` if it needs none; None without a
    declaration."""
    return getattr(endpoint, _DECISION, None)
