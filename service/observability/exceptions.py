"""Exceptions in logs: where each one happened, but nothing of a document or a filter."""

import traceback
from collections.abc import Iterator

DEPTH = 20
"""Most exceptions of a chain that are shown."""

QUOTE_NOTHING = (
    OSError, RuntimeError, TypeError, AttributeError, NameError, ImportError, MemoryError,
)  # fmt: skip
"""Exceptions whose messages are about the program or the system. Messages of others may quote
content: a text that is not a number, a missing key, a whole command."""


def formatted(error: BaseException | None) -> str:
    """The traceback of the exception and of those that led to it, the first one first, as Python
    shows them. Messages that could quote a document are left out."""
    return "\n".join(reversed(list(_chain(error))))


def _chain(error: BaseException | None) -> Iterator[str]:
    for _ in range(DEPTH):
        if error is None:
            return
        head = "Traceback (most recent call last):\n" if error.__traceback__ else ""
        yield head + "".join(traceback.format_tb(error.__traceback__)) + _summary(error)
        led_to_it = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if isinstance(error, BaseExceptionGroup):
            for part in error.exceptions[:DEPTH]:
                yield from _chain(part)
        error = led_to_it


def _summary(error: BaseException) -> str:
    kind = type(error).__qualname__
    if isinstance(error, QUOTE_NOTHING):
        return f"{kind}: {error}"
    code = getattr(error, "code", None)
    return f"{kind} (code {code})" if isinstance(code, int) else kind
