"""The paths of update operators: dotted, as `address.city` or `tags.0`."""

from itertools import pairwise
from typing import TypeAlias

from service.documents.json_faults import MAX_DEPTH
from service.documents.layout import METADATA_KEY
from service.errors import InvalidPatch

MAX_INDEX = 9_999
"""The database fills an array with nulls up to an index that it does not have."""

Steps: TypeAlias = tuple[str, ...]
Place: TypeAlias = list[str | int]
"""Where something is in the patch."""


def parse_path(path: str, place: Place) -> Steps:
    """The steps of a path that may be written. Raises `InvalidPatch`."""
    steps = parse_field(path, place)
    if steps[0] == "_id":
        raise InvalidPatch("The _id of a document cannot be changed.", place)
    if steps[0] == METADATA_KEY:
        raise InvalidPatch(
            "_stuff is reserved for the service's metadata and cannot be set.", place
        )
    return steps


def parse_field(path: str, place: Place) -> Steps:
    """The steps of a path. Raises `InvalidPatch` for one that the database does not take, or takes
    for something else than names and indices."""
    if path.count(".") >= MAX_DEPTH:
        raise InvalidPatch(f"No document is nested more than {MAX_DEPTH} levels deep.", place)
    steps = tuple(path.split("."))
    for step in steps:
        if not step:
            raise InvalidPatch(
                "A path has names, with dots between them. For a key that is empty or has a dot, "
                "send another kind of patch.",
                place,
            )
        if step[0] == "$":
            raise InvalidPatch(
                "A path has no steps that start with '$'. Give names, and indices of arrays.", place
            )
        if step.isdigit():
            _check_index(step, place)
    return steps


def check_conflicts(places: dict[Steps, Place]) -> None:
    """Raise `InvalidPatch` if one of these paths leads into another. `places` says where each is in
    the patch."""
    # In this order, what begins with a path follows it at once.
    for outer, inner in pairwise(sorted(places)):
        if inner[: len(outer)] == outer:
            raise conflict(outer, places[inner])


def conflict(path: Steps, place: Place) -> InvalidPatch:
    """The error for a second change of what is at the path."""
    return InvalidPatch(
        f"Another operator changes {'.'.join(path)!r} already. Change each part once.", place
    )


def _check_index(step: str, place: Place) -> None:
    if not step.isascii():
        # Some engines take such a name for the index of an array, and fail.
        raise InvalidPatch(f"{step!r}: a name may not be made of digits such as '²'.", place)
    digits = step.lstrip("0")
    if len(digits) > len(str(MAX_INDEX)):
        raise InvalidPatch(
            f"A path has numbers of at most {MAX_INDEX:,}. Send another kind of patch.", place
        )
