"""An update: operators, checked, and encoded for the database."""

from collections.abc import Generator
from typing import Any

import bson

from service.documents import codec, layout, strict_json
from service.documents.json_faults import MAX_DEPTH
from service.documents.layout import MAX_DOCUMENT_BYTES
from service.documents.patches.pointers import parse_pointer
from service.documents.query import check_steps, patterns_of
from service.documents.typed import Types
from service.documents.updates.counting import amounts_in, with_set
from service.documents.updates.operators import (
    CALCULATING,
    OPERATORS,
    READING,
    check_conditions,
)
from service.documents.updates.paths import Place, Steps, check_conflicts, conflict, parse_path
from service.errors import DocumentTooLarge, InvalidParameter, InvalidPatch

MEDIA_TYPE = "application/vnd.stuff.update-operators+json"
"""Not registered."""
MAX_PATHS = 1_000
ENVELOPE = 2
"""How many levels deeper a value may be in a patch than in a document: in the list of an `$each`,
below `$push` and the path."""
COMMAND_BYTES = 16 * 1024
"""Of a command of the database, besides the operators."""
PADDING_BYTES = 64 * 1024
"""The most that the database adds to an array to reach an index."""


class Update:
    """Update operators (a JSON object by their names, each an object by paths): all of them are
    applied, or none."""

    def __init__(self, body: bytes, *, upsert: bool = False) -> None:
        """`upsert` creates the document if there is none. Raises `MalformedJSON`,
        `InvalidDocument`, `InvalidPatch` and `DocumentTooLarge`."""
        self.upsert = upsert
        places: dict[Steps, Place] = {}
        operators = _checked(strict_json.loads(body, MAX_DEPTH + ENVELOPE), places)
        check_conflicts(places)
        self.reads = not READING.isdisjoint(operators) or any(
            "$sort" in modifiers for modifiers in operators.get("$push", {}).values()
        )
        """Whether the outcome depends on values that are in the document."""
        self.calculates = not CALCULATING.isdisjoint(operators)
        """Whether the database calculates with numbers that are in the document."""
        self.amounts = amounts_in(operators)
        """What it adds, if it can be made as one with others (`counting`)."""
        self._patterns = patterns_of({"$pull": operators.get("$pull", {})})
        set_fields = operators.pop("$set", {})
        self._others = bson.encode(operators)[4:-1]
        self._set = bson.encode(set_fields)[4:-1]
        self._padding = PADDING_BYTES * sum(any(map(str.isdigit, steps)) for steps in places)
        self.size = len(self._others) + len(self._set)
        """Bytes of BSON."""
        if self.size + COMMAND_BYTES > MAX_DOCUMENT_BYTES:
            raise DocumentTooLarge(
                f"As BSON the patch has {self.size:,} bytes; MongoDB takes at most "
                f"{MAX_DOCUMENT_BYTES - COMMAND_BYTES:,}. Split it.",
                MAX_DOCUMENT_BYTES - COMMAND_BYTES,
            )

    def convert(self, types: Types) -> Generator[None, None, None]:
        """Have the values that are stored at typed paths in place of strings. Yields where other
        work may be done. Raises `InvalidPatch`."""
        operators = yield from codec.decoded(layout.whole(self._others))
        operators["$set"] = yield from codec.decoded(layout.whole(self._set))
        yield
        try:
            yield from types.update(operators)
        except InvalidParameter as error:
            raise _of_patch(error) from None
        yield
        self._set = bson.encode(operators.pop("$set"))[4:-1]
        self._others = bson.encode(operators)[4:-1]

    @property
    def has_patterns(self) -> bool:
        return bool(self._patterns)

    def check_steps(self) -> None:
        """Raise `InvalidPatch` if its patterns may take an engine without a limit of steps too
        long."""
        try:
            check_steps(self._patterns)
        except InvalidParameter as error:
            raise _of_patch(error) from None

    def encoded(self, mark: bytes) -> bytes:
        """The operators (BSON), which also set the elements of `mark`."""
        return with_set(self._others, self._set + mark)

    def may_overfill(self, document: bytes) -> bool:
        """Whether the document (BSON) may become larger than MongoDB stores."""
        return len(document) + self.size + self._padding + COMMAND_BYTES > MAX_DOCUMENT_BYTES


def _checked(patch: Any, places: dict[Steps, Place]) -> dict[str, dict[str, Any]]:
    """The operators as the database gets them; adds to `places` where each path is."""
    if not isinstance(patch, dict) or not patch:
        raise InvalidPatch('Give an object of operators, such as {"$inc": {"count": 1}}.')
    operators: dict[str, dict[str, Any]] = {}
    for name, operands in patch.items():
        if name not in OPERATORS:
            raise InvalidPatch(
                f"The operator {name!r} is not allowed; allowed: {', '.join(OPERATORS)}.", [name]
            )
        if not isinstance(operands, dict) or not operands:
            raise InvalidPatch(f"{name} takes an object of paths and what to do there.", [name])
        if len(places) + len(operands) > MAX_PATHS:
            raise InvalidPatch(f"A patch has at most {MAX_PATHS:,} paths. Split it.", [name])
        if name == "$pull":
            check_conditions(operands)
        operators[name] = {
            path: _operand(name, path, operand, places) for path, operand in operands.items()
        }
    return operators


def _operand(name: str, path: str, operand: Any, places: dict[Steps, Place]) -> Any:
    place: Place = [name, path]
    steps = parse_path(path, place)
    if steps in places:
        raise conflict(steps, place)
    places[steps] = place
    try:
        return OPERATORS[name](operand, steps, place)
    except InvalidParameter as error:
        raise _of_patch(error) from None


def _of_patch(error: InvalidParameter) -> InvalidPatch:
    """A fault of a condition, which is checked like a filter, as one of the patch."""
    return InvalidPatch(error.detail, parse_pointer(str(error.members["pointer"])) or ())
