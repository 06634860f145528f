"""Conditions on `_id` in filters: canonical strings become the ids that they stand for.

Bounds may be any text, where ids sort as their strings do: `{"$gte": "65f0"}` is where the ids
begin that begin so.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias

from service.documents.ids.types import Ids
from service.errors import InvalidId, InvalidParameter, json_pointer

Path: TypeAlias = list[str | int]

_COMBINED = ("$and", "$or", "$nor")
_EQUAL = ("$eq", "$ne")
_LISTED = ("$in", "$nin", "$all")
_BOUNDS = ("$gt", "$gte", "$lt", "$lte")


def with_ids(query: Mapping[str, Any], ids: Ids) -> dict[str, Any]:
    """The query (as `parse_filter` returns it) with ids in place of strings.

    Raises `InvalidParameter`, with a JSON Pointer into the filter, for a string that stands for no
    id: it would select nothing, and its negation everything.
    """
    return _query(query, ids, [])


def _query(query: Mapping[str, Any], ids: Ids, path: Path) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for key, value in query.items():
        place = [*path, key]
        if key in _COMBINED:
            typed[key] = [_query(each, ids, [*place, i]) for i, each in enumerate(value)]
        elif key == "_id":
            typed[key] = _condition(value, ids, place)
        else:
            typed[key] = value
    return typed


def _condition(value: Any, ids: Ids, path: Path) -> Any:
    """A value that the id equals, or operators."""
    if not isinstance(value, dict):
        return _id(value, ids, path)
    typed: dict[str, Any] = {}
    for operator, operand in value.items():
        place = [*path, operator]
        name, new = operator, operand
        if operator in _EQUAL:
            new = _id(operand, ids, place)
        elif operator in _LISTED:
            new = [_id(each, ids, [*place, i]) for i, each in enumerate(operand)]
        elif operator in _BOUNDS and isinstance(operand, str):
            name, new = _bound(operator, operand, ids, place)
        elif operator == "$not":
            new = _condition(operand, ids, place)
        if name in typed:
            raise _invalid("Give one lower and one upper bound.", place)
        typed[name] = new
    return typed


def _id(value: Any, ids: Ids, path: Path) -> Any:
    if not isinstance(value, str):  # as Extended JSON
        return value
    try:
        return ids.parse(value)
    except InvalidId as error:
        raise _invalid(error.detail, path) from None


def _bound(operator: str, text: str, ids: Ids, path: Path) -> tuple[str, Any]:
    try:
        return ids.bound(operator, text)
    except InvalidId as error:
        raise _invalid(error.detail, path) from None


def _invalid(detail: str, path: Path) -> InvalidParameter:
    return InvalidParameter("filter", detail, json_pointer(path))
