"""What a request picks and asks of documents, checked and put in the terms of the database."""

from dataclasses import dataclass

from service.codec import METADATA_KEY
from service.errors import InvalidParameter
from service.strict_json import MAX_DEPTH

MAX_FIELDS = 100


@dataclass(frozen=True, slots=True)
class View:
    """Some fields of a document.

    `projection` is the database's; `name` is the same for views that pick the same fields.
    https://www.mongodb.com/docs/manual/tutorial/project-fields-from-query-results/
    """

    name: str
    projection: dict[str, int]


def parse_fields(value: str) -> View:
    """The view of `fields=a,b.c`. `_id` is always part of it.

    Raises `InvalidParameter`.
    """
    paths = set(value.split(","))
    if len(paths) > MAX_FIELDS:
        raise _invalid(f"At most {MAX_FIELDS} fields can be picked.")
    for path in paths:
        steps = path.split(".")
        if not all(steps):
            raise _invalid("Give the names of fields, separated by commas: fields=a,b.c.")
        if any(step.startswith("$") or "\0" in step for step in steps):
            raise _invalid(f"{path!r} cannot be picked: no name may start with '$' or hold a NUL.")
        if len(steps) > MAX_DEPTH:
            raise _invalid(f"No field is more than {MAX_DEPTH} levels deep.")
        if steps[0] == METADATA_KEY:
            raise _invalid("Ask for the metadata by meta=true.")
        if steps[0] == "_id" and len(steps) > 1:
            raise _invalid("The _id has no parts.")
    # MongoDB refuses to be asked for a field and for a part of it.
    picked = sorted(path for path in paths if not _parents(path) & paths)
    return View(",".join(picked), dict.fromkeys([*picked, METADATA_KEY], 1))


def _parents(path: str) -> set[str]:
    steps = path.split(".")
    return {".".join(steps[:length]) for length in range(1, len(steps))}


def _invalid(detail: str) -> InvalidParameter:
    return InvalidParameter(detail, members={"parameter": "fields"})
