"""The root of the tree of errors."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

# What a client sent may be part of a problem, but a problem is never as long as what was sent.
MAX_DETAIL = 1000  # characters
MAX_POINTER = 1000  # characters


def json_pointer(path: Sequence[str | int]) -> str:
    """The RFC 6901 JSON Pointer of a path of keys and indices; `""` is the whole document.

    A pointer beyond `MAX_POINTER` ends earlier: it leads to a value that contains the place.
    """
    pointer = ""
    for step in path:
        if isinstance(step, str):
            if len(pointer) + len(step) > MAX_POINTER:
                break
            step = step.replace("~", "~0").replace("/", "~1")  # noqa: PLW2901
        longer = f"{pointer}/{step}"
        if len(longer) > MAX_POINTER:
            break
        pointer = longer
    return pointer


def _shortened(detail: str) -> str:
    """The detail without its middle if it is long: its end says what to do."""
    if len(detail) <= MAX_DETAIL:
        return detail
    half = (MAX_DETAIL - 5) // 2
    return f"{detail[:half]} ... {detail[-half:]}"


class StuffError(Exception):
    """The service failed in a way that it does not expect. Its log has the cause, under the id of
    the request."""

    # The root of the tree. A class with its own `slug` is a problem type; the others are families.
    # (The docstring is public: `/problems/internal-error` shows it.)

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"
    private: ClassVar[frozenset[str]] = frozenset()
    """The members that tell what is stored: only for clients that may read."""

    def __init__(
        self,
        detail: str,
        *,
        members: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`members` are the extension members of the problem (RFC 9457, section 3.2), `headers` the
        header fields of the response. A `detail` beyond `MAX_DETAIL` loses its middle."""
        self.detail = _shortened(detail)
        super().__init__(self.detail)
        self.members = dict(members or {})
        self.headers = dict(headers or {})


def problem_types() -> dict[str, type[StuffError]]:
    """All problem types by their slug, ordered by status and slug."""
    types: dict[str, type[StuffError]] = {}
    pending: list[type[StuffError]] = [StuffError]
    while pending:
        error = pending.pop()
        if "slug" in vars(error):
            types[error.slug] = error
        pending.extend(error.__subclasses__())
    return dict(sorted(types.items(), key=lambda item: (item[1].status, item[0])))
