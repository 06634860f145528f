"""The root of the tree of errors."""

from collections.abc import Mapping, Sequence
from typing import ClassVar


def json_pointer(path: Sequence[str | int]) -> str:
    """The RFC 6901 JSON Pointer of a path of keys and indices; `""` is the whole document."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


class StuffError(Exception):
    """The service failed in a way that it does not expect. Its log has the cause, under the id of
    the request."""

    # The root of the tree. A class with its own `slug` is a problem type; the others are families.
    # (The docstring is public: `/problems/internal-error` shows it.)

    status: ClassVar[int] = 500
    slug: ClassVar[str] = "internal-error"
    title: ClassVar[str] = "Internal error"

    def __init__(
        self,
        detail: str,
        *,
        members: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`members` are the extension members of the problem (RFC 9457, section 3.2), `headers` the
        header fields of the response."""
        super().__init__(detail)
        self.detail = detail
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
