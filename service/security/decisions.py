"""Which scopes an endpoint needs, declared where the endpoint is defined."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])

READ, WRITE = "read", "write"
SCOPES = (READ, WRITE)
_DECISION = "__access__"


@dataclass(frozen=True)
class Decision:
    """The scopes that an endpoint needs: all of these, or one of them. None of them: it is open to
    all."""

    scopes: frozenset[str] = frozenset()
    one_suffices: bool = False
    anywhere: bool = False
    """Whether scopes for any collection count. The endpoint then checks those that it is about."""

    def needs(self, scope: str) -> bool:
        """Whether nobody without this scope has access."""
        return scope in self.scopes and not self.one_suffices

    def admits(self, granted: frozenset[str]) -> bool:
        """Whether these scopes give access."""
        if self.one_suffices:
            return not self.scopes.isdisjoint(granted)
        return self.scopes <= granted


PUBLIC = Decision()


def _decide(*scopes: str) -> Callable[[Endpoint], Endpoint]:
    def mark(endpoint: Endpoint) -> Endpoint:
        before = decision_of(endpoint) or PUBLIC
        setattr(endpoint, _DECISION, Decision(before.scopes.union(scopes)))
        return endpoint

    return mark


public, reads, writes = _decide(), _decide(READ), _decide(WRITE)
"""Decorators of endpoints: open to all, or to keys with a scope, or, if two are used, with both."""


def reads_or_writes(endpoint: Endpoint) -> Endpoint:
    """Decorates an endpoint that is open to keys with one of the scopes: it tells nothing of what
    is stored."""
    setattr(endpoint, _DECISION, Decision(frozenset(SCOPES), one_suffices=True))
    return endpoint


def writes_anywhere(endpoint: Endpoint) -> Endpoint:
    """Decorates an endpoint that is open to keys that may write in a collection, whichever it is.
    It checks the scopes for those that a request names."""
    setattr(endpoint, _DECISION, Decision(frozenset({WRITE}), anywhere=True))
    return endpoint


def decision_of(endpoint: Callable[..., Any]) -> Decision | None:
    """What the endpoint declares; None without a declaration."""
    return getattr(endpoint, _DECISION, None)
