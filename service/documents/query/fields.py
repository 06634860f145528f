"""Views: the fields of a document that a request selects; and the paths of fields."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from service.documents.json_faults import MAX_DEPTH
from service.documents.layout import METADATA_KEY
from service.errors import InvalidParameter

MAX_FIELDS = 100

Tree = dict[str, Any]
"""Names of fields, each with the tree of its selected parts; an empty tree is the whole field."""


@dataclass(frozen=True, slots=True)
class View:
    """Some fields of a document. `name` is the same for views that pick the same fields."""

    name: str
    paths: tuple[str, ...]
    _tree: Tree = field(compare=False, repr=False)

    def projection(self, also: Iterable[str] = ()) -> dict[str, int]:
        """The projection that makes the database return these fields, `_stuff`, and others.

        https://www.mongodb.com/docs/manual/tutorial/project-fields-from-query-results/
        """
        # MongoDB refuses a projection with both a field and a part of it.
        return dict.fromkeys(_outermost({*self.paths, METADATA_KEY, *also}), 1)

    def pick(self, document: dict[str, Any]) -> dict[str, Any]:
        """These fields of the document, and its `_id`, as the database picks them."""
        picked: dict[str, Any] = _pick(document, self._tree)
        return picked


def parse_fields(value: str) -> View:
    """The view of `fields=a,b.c`. `_id` is always part of it.

    Raises `InvalidParameter`.
    """
    if value.count(",") >= MAX_FIELDS:
        raise _invalid(f"At most {MAX_FIELDS} fields can be selected.")
    paths = set(value.split(","))
    for path in paths:
        check_path(path, "fields")
        if path.split(".")[0] == METADATA_KEY:
            raise _invalid("Ask for the metadata with meta=true.")
    picked = tuple(sorted(_outermost(paths)))
    return View(",".join(picked), picked, _tree({*picked, "_id"}))


def check_path(path: str, parameter: str) -> None:
    """Raise `InvalidParameter` unless this is the name of a field, dots leading into objects."""
    steps = path.split(".")
    if not all(steps):
        raise _invalid(f"Give the names of fields: {parameter}=a,b.c.", parameter)
    if any(step.startswith("$") or "\0" in step for step in steps):
        raise _invalid(f"{path!r}: no name may start with '$' or contain a NUL.", parameter)
    if len(steps) > MAX_DEPTH:
        raise _invalid(f"No field is more than {MAX_DEPTH} levels deep.", parameter)
    if steps[0] == "_id" and len(steps) > 1:
        raise _invalid("The _id has no parts.", parameter)


def parents(path: str) -> list[str]:
    """The paths of the objects that the field is in, outermost first."""
    steps = path.split(".")
    return [".".join(steps[:length]) for length in range(1, len(steps))]


def _outermost(paths: set[str]) -> list[str]:
    return sorted(path for path in paths if paths.isdisjoint(parents(path)))


def _tree(paths: Iterable[str]) -> Tree:
    tree: Tree = {}
    for path in paths:
        branch = tree
        for step in path.split("."):
            branch = branch.setdefault(step, {})
    return tree


def _pick(value: Any, tree: Tree) -> Any:
    if isinstance(value, list):
        return [_pick(child, tree) for child in value if isinstance(child, dict | list)]
    return {
        key: _pick(child, tree[key]) if tree[key] else child
        for key, child in value.items()
        if key in tree and (not tree[key] or isinstance(child, dict | list))
    }


def _invalid(detail: str, parameter: str = "fields") -> InvalidParameter:
    return InvalidParameter(parameter, detail)
