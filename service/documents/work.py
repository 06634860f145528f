"""Long work as generators, which yield where other work may be done."""

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")


def finished(work: Generator[None, None, Result]) -> Result:
    """The result of the work, which is done at once."""
    try:
        while True:
            next(work)
    except StopIteration as done:
        result: Result = done.value
        return result
