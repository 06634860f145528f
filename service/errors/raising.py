"""Which errors a function can raise, declared where they are raised."""

from collections.abc import Callable
from typing import Any, TypeVar

from service.errors.base import StuffError

Function = TypeVar("Function", bound=Callable[..., Any])
_RAISES = "__raises__"


def raises(*sources: type[StuffError] | Callable[..., Any]) -> Callable[[Function], Function]:
    """Declare that a function can raise these errors, and those that these other functions declare.

    The OpenAPI document unites what an endpoint, its dependencies and the middleware declare.
    """
    errors: list[type[StuffError]] = []
    for source in sources:
        if isinstance(source, type) and issubclass(source, StuffError):
            errors.append(source)
        else:
            errors += getattr(source, _RAISES)

    def declare(function: Function) -> Function:
        setattr(function, _RAISES, tuple(dict.fromkeys(errors)))
        return function

    return declare


def raised_by(function: Callable[..., Any]) -> tuple[type[StuffError], ...]:
    """The errors that were declared, in that order."""
    errors: tuple[type[StuffError], ...] = getattr(function, _RAISES, ())
    return errors
