"""The operators: what each may be given, and what the database gets.

https://www.mongodb.com/docs/manual/reference/mql/update/
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import orjson

from service.documents.json_faults import without_strings
from service.documents.query import MAX_BYTES, parse_condition
from service.documents.updates.paths import Place, Steps, parse_field
from service.documents.updates.values import check_value
from service.errors import InvalidPatch

MAX_COMPARED = 100
"""Values of an `$addToSet`, and in the conditions of `$pull`: the database compares each with all
elements of an array, and looks at its time limit only afterwards."""
MAX_SORTED = 8
"""Fields of a `$sort`, as of a query."""
INT32 = range(-(2**31), 2**31)

Check: TypeAlias = Callable[[Any, Steps, Place], Any]
"""Returns what the database gets as the operand for a path, or raises `InvalidPatch`."""


def _value(operand: Any, path: Steps, place: Place) -> Any:
    check_value(operand, len(path), place)
    return operand


def _number(operand: Any, path: Steps, place: Place) -> Any:  # noqa: ARG001
    if isinstance(operand, bool) or not isinstance(operand, int | float):
        raise InvalidPatch(f"{place[0]} takes a number.", place)
    return operand


def _nothing(operand: Any, path: Steps, place: Place) -> str:  # noqa: ARG001
    return ""  # the database ignores it


def _end(operand: Any, path: Steps, place: Place) -> int:  # noqa: ARG001
    if isinstance(operand, bool) or operand not in (1, -1):
        raise InvalidPatch("$pop takes 1 for the last element, -1 for the first.", place)
    return int(operand)


def _push(operand: Any, path: Steps, place: Place) -> dict[str, Any]:
    modifiers = _modifiers(operand, place, ("$each", "$position", "$slice", "$sort"))
    _check_elements(modifiers["$each"], path, [*place, "$each"])
    for name in ("$position", "$slice"):
        number = modifiers.get(name, 0)
        if isinstance(number, bool) or not isinstance(number, int) or number not in INT32:
            raise InvalidPatch(f"{name} takes an integer of 32 bits.", [*place, name])
    if "$sort" in modifiers:
        _check_sort(modifiers["$sort"], [*place, "$sort"])
    return modifiers


def _add(operand: Any, path: Steps, place: Place) -> dict[str, Any]:
    modifiers = _modifiers(operand, place, ("$each",))
    _check_elements(modifiers["$each"], path, [*place, "$each"])
    if len(modifiers["$each"]) > MAX_COMPARED:
        raise InvalidPatch(
            f"$addToSet adds at most {MAX_COMPARED} values at once. Split the patch.", place
        )
    return modifiers


def _pull(operand: Any, path: Steps, place: Place) -> Any:  # noqa: ARG001
    return parse_condition(operand, place)


OPERATORS: dict[str, Check] = {
    "$set": _value,
    "$unset": _nothing,
    "$inc": _number,
    "$mul": _number,
    "$min": _value,
    "$max": _value,
    "$push": _push,
    "$addToSet": _add,
    "$pull": _pull,
    "$pop": _end,
}
CALCULATING = {"$inc", "$mul"}
READING = {"$inc", "$mul", "$min", "$max", "$addToSet", "$pull"}
"""Those whose outcome depends on the values in the document, so that the limits of integers and of
documents tell them. A `$push` with `$sort` is one, too: the order tells them."""


def check_conditions(operands: dict[str, Any]) -> None:
    """Raise `InvalidPatch` if the conditions of `$pull` have too many values, or bytes."""
    text = orjson.dumps(operands)
    if len(text) > MAX_BYTES:
        raise InvalidPatch(
            f"The conditions of $pull have at most {MAX_BYTES:,} bytes together.", ["$pull"]
        )
    if without_strings(text).count(b",") >= MAX_COMPARED:
        raise InvalidPatch(
            f"The conditions of $pull have at most {MAX_COMPARED} values together. Split them.",
            ["$pull"],
        )


def _modifiers(operand: Any, place: Place, allowed: tuple[str, ...]) -> dict[str, Any]:
    """The operand with its modifiers; a value alone is the only one of `$each`."""
    if not isinstance(operand, dict) or not any(key.startswith("$") for key in operand):
        return {"$each": [operand]}
    for key in operand:
        if key not in allowed:
            raise InvalidPatch(
                f"The modifier {key!r} is not allowed here; allowed: {', '.join(allowed)}.",
                [*place, key],
            )
    if not isinstance(operand.get("$each"), list):
        raise InvalidPatch("$each takes an array of the values to add.", [*place, "$each"])
    return operand


def _check_elements(values: list[Any], path: Steps, place: Place) -> None:
    # The list stands for the array in the document, which is one level itself.
    check_value(values, len(path), place)


def _check_sort(sort: Any, place: Place) -> None:
    fields = sort if isinstance(sort, dict) else {"": sort}
    if not 0 < len(fields) <= MAX_SORTED:
        raise InvalidPatch(f"$sort takes 1 to {MAX_SORTED} fields.", place)
    for field, direction in fields.items():
        if isinstance(direction, bool) or direction not in (1, -1):
            raise InvalidPatch(
                '$sort takes 1 or -1, or fields of the elements: {"score": -1}.', place
            )
        if isinstance(sort, dict):
            parse_field(field, [*place, field])
