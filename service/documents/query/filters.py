"""The filter language: MongoDB's, by an allow-list.

https://www.mongodb.com/docs/manual/reference/mql/query-predicates/

A value is JSON, or Extended JSON for types that JSON lacks: `{"$date": "2026-01-01T00:00:00Z"}`.
"""

from collections.abc import Callable, Iterator
from typing import Any

import bson
from bson import json_util

from service.documents import strict_json
from service.documents.query.patterns import explain_danger
from service.documents.query.steps import MAX_STEPS, TOO_MANY, TooManySteps, steps
from service.errors import InvalidDocument, InvalidParameter, MalformedJSON, json_pointer

MAX_BYTES = 64 * 1024
MAX_LEVELS = 20
"""Levels of operators that contain conditions: `$and`, `$or`, `$nor`, `$not`, `$elemMatch`."""

TYPES = {
    "double", "string", "object", "array", "binData", "undefined", "objectId", "bool", "date",
    "null", "regex", "dbPointer", "javascript", "symbol", "javascriptWithScope", "int", "timestamp",
    "long", "decimal", "minKey", "maxKey", "number",
}  # fmt: skip
LITERALS = {
    "$binary", "$date", "$maxKey", "$minKey", "$numberDecimal", "$numberDouble", "$numberInt",
    "$numberLong", "$oid", "$timestamp", "$uuid",
}  # fmt: skip
"""The keys of Extended JSON for types that JSON lacks, except `$regularExpression`: use
`$regex`."""

Path = list[str | int]
Pattern = tuple[str, str, Path]
"""A regular expression, its options, and where it is in the query."""


def parse_filter(text: str) -> dict[str, Any]:
    """The query of `filter=`. Raises `InvalidParameter`, with a JSON Pointer into the filter."""
    encoded = text.encode()
    if len(encoded) > MAX_BYTES:
        raise _invalid(f"A filter has at most {MAX_BYTES:,} bytes.", [])
    try:
        value = strict_json.loads(encoded)
    except MalformedJSON as error:
        raise _invalid(f"A filter is a JSON object. {error.detail}", []) from None
    except InvalidDocument as error:
        raise InvalidParameter("filter", error.detail, error.pointer) from None
    return _query(value, [], 0)


def parse_condition(value: Any, path: Path) -> Any:
    """A condition on the elements of an array: a value, operators, or a query for objects. `path`
    is where it is. Raises `InvalidParameter`."""
    if isinstance(value, dict) and not _is_extended(value):
        return _elem_match(value, path, 0)
    return _literal(value, path)


def patterns_of(query: dict[str, Any]) -> list[Pattern]:
    """The patterns of a query, wherever they are."""
    return list(_patterns(query, []))


def check_steps(patterns: list[Pattern]) -> None:
    """Raise `InvalidParameter` if the patterns of a query may take an engine without a limit of
    steps more than `MAX_STEPS` for each character of a text."""
    total = 0.0
    for pattern, options, path in patterns:
        try:
            total += steps(pattern, options)
        except TooManySteps as error:
            raise _invalid(str(error), path) from None
        if not total <= MAX_STEPS:  # refuses NaN, too
            raise _invalid(TOO_MANY, path)


def _patterns(value: Any, path: Path) -> Iterator[Pattern]:
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield from _patterns(child, [*path, index])
    elif isinstance(value, dict):
        pattern = value.get("$regex")
        if isinstance(pattern, str):
            yield pattern, str(value.get("$options", "")), [*path, "$regex"]
        for key, child in value.items():
            if isinstance(child, dict | list):
                yield from _patterns(child, [*path, key])


def _query(value: Any, path: Path, level: int) -> dict[str, Any]:
    """Conditions on fields, and the operators that combine them."""
    if not isinstance(value, dict):
        raise _invalid('Give an object, such as {"year": {"$gt": 1900}}.', path)
    if level > MAX_LEVELS:
        raise _invalid(f"Operators are nested more than {MAX_LEVELS} levels deep.", path)
    query: dict[str, Any] = {}
    for key, child in value.items():
        place = [*path, key]
        if not key.startswith("$"):
            if any(step.isdigit() and not step.isdecimal() for step in key.split(".")):
                # Some engines take such a name for the index of an array, and fail.
                raise _invalid(f"{key!r}: a name may not be made of digits such as '²'.", place)
            query[key] = _condition(child, place, level)
        elif key in ("$and", "$or", "$nor"):
            children = _list(child, place)
            query[key] = [_query(c, [*place, i], level + 1) for i, c in enumerate(children)]
        else:
            raise _unknown(key, place, "$and, $nor, $or")
    return query


def _condition(value: Any, path: Path, level: int) -> Any:
    """The condition on a field: a value that it equals, or operators."""
    if isinstance(value, dict) and _has_operators(value):
        return _operators(value, path, level)
    return _literal(value, path)


def _has_operators(value: dict[str, Any]) -> bool:
    return any(key.startswith("$") for key in value) and not _is_extended(value)


def _is_extended(value: dict[str, Any]) -> bool:
    return len(value) == 1 and not LITERALS.isdisjoint(value)


def _operators(value: Any, path: Path, level: int) -> dict[str, Any]:
    if level > MAX_LEVELS:
        raise _invalid(f"Operators are nested more than {MAX_LEVELS} levels deep.", path)
    if "$options" in value and "$regex" not in value:
        raise _invalid("$options belongs to a $regex.", [*path, "$options"])
    checked = {}
    for key, child in value.items():
        check = OPERATORS.get(key)
        if check is None:
            raise _unknown(key, [*path, key], ", ".join(sorted(OPERATORS)))
        checked[key] = check(child, [*path, key], level + 1)
    return checked


def _literal(value: Any, path: Path, _: int = 0) -> Any:
    """A value to compare with."""
    if isinstance(value, list):
        return [_literal(child, [*path, i]) for i, child in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if not _is_extended(value):
        return {key: _literal(child, [*path, key]) for key, child in value.items()}
    try:
        literal = json_util.object_hook(value, json_util.DEFAULT_JSON_OPTIONS)
        bson.encode({"": literal})  # which refuses integers beyond 64 bits
    except Exception as error:  # of many kinds, whatever the parsers of the types raise
        raise _invalid(f"Invalid Extended JSON: {error}.", path) from None
    return literal


def _operand(value: Any, path: Path, _: int = 0) -> Any:
    """A value to compare with. Operators are refused, since some engines would apply them here."""
    if isinstance(value, dict) and not OPERATORS.keys().isdisjoint(value):
        raise _invalid("Give a value; operators are not allowed here.", path)
    return _literal(value, path)


def _operands(value: Any, path: Path, _: int) -> list[Any]:
    return [_operand(c, [*path, i]) for i, c in enumerate(_list(value, path, empty=True))]


def _all(value: Any, path: Path, level: int) -> list[Any]:
    """Values, or conditions on elements: `{"$all": [{"$elemMatch": {...}}]}`."""
    return [
        {"$elemMatch": _elem_match(child["$elemMatch"], [*path, i, "$elemMatch"], level + 1)}
        if isinstance(child, dict) and list(child) == ["$elemMatch"]
        else _operand(child, [*path, i])
        for i, child in enumerate(_list(value, path, empty=True))
    ]


def _not(value: Any, path: Path, level: int) -> dict[str, Any]:
    if not isinstance(value, dict) or not _has_operators(value):
        raise _invalid('$not takes operators: {"$not": {"$gt": 1}}.', path)
    return _operators(value, path, level)


def _elem_match(value: Any, path: Path, level: int) -> dict[str, Any]:
    if isinstance(value, dict) and any(key in OPERATORS for key in value):
        return _operators(value, path, level)
    return _query(value, path, level)


def _exists(value: Any, path: Path, _: int) -> bool:
    if not isinstance(value, bool):
        raise _invalid("$exists takes true or false.", path)
    return value


def _type(value: Any, path: Path, _: int) -> Any:
    for name in value if isinstance(value, list) else [value]:
        if name not in TYPES if isinstance(name, str) else not _is_integer(name):
            raise _invalid(f"$type takes one or more of: {', '.join(sorted(TYPES))}.", path)
    return value


def _size(value: Any, path: Path, _: int) -> int:
    if not _is_integer(value) or value < 0:
        raise _invalid("$size takes a whole number, zero or more.", path)
    return int(value)


def _mod(value: Any, path: Path, _: int) -> list[int]:
    if not (isinstance(value, list) and len(value) == 2 and all(map(_is_integer, value))):
        raise _invalid("$mod takes two integers: [divisor, remainder].", path)
    if value[0] == 0:
        raise _invalid("The divisor of $mod is zero.", [*path, 0])
    return value


def _regex(value: Any, path: Path, _: int) -> str:
    if not isinstance(value, str):
        raise _invalid("$regex takes a string.", path)
    danger = explain_danger(value)
    if danger is not None:
        raise _invalid(danger, path)
    return value


def _options(value: Any, path: Path, _: int) -> str:
    if not isinstance(value, str) or not set(value) <= set("ims"):
        raise _invalid("$options takes the letters i, m and s.", path)
    return value


OPERATORS: dict[str, Callable[[Any, Path, int], Any]] = {
    **dict.fromkeys(("$eq", "$gt", "$gte", "$lt", "$lte", "$ne"), _operand),
    **dict.fromkeys(("$in", "$nin"), _operands),
    "$all": _all,
    "$elemMatch": _elem_match,
    "$exists": _exists,
    "$mod": _mod,
    "$not": _not,
    "$options": _options,
    "$regex": _regex,
    "$size": _size,
    "$type": _type,
}


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _list(value: Any, path: Path, *, empty: bool = False) -> list[Any]:
    if not isinstance(value, list) or not (value or empty):
        raise _invalid(f"{path[-1]} takes an array{'' if empty else ', not an empty one'}.", path)
    return value


def _unknown(operator: str, path: Path, allowed: str) -> InvalidParameter:
    return _invalid(f"The operator {operator} is not allowed here; allowed: {allowed}.", path)


def _invalid(detail: str, path: Path) -> InvalidParameter:
    return InvalidParameter("filter", detail, json_pointer(path))
