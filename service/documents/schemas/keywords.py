"""Keywords that the library checks too slowly, checked here in time that the values justify.

It compares numbers exactly, as fractions, which takes up to 10 µs each; and it finds equal elements
by hashes in which a client can make as many collide as it likes. Here numbers are compared by the
interpreter, which is exact too, and values are equal if their JSON is: its hash has a secret key.

JSON Schema 2020-12, validation, section 6: https://json-schema.org/draft/2020-12/json-schema-validation
"""

import operator
from collections.abc import Callable
from typing import Any, ClassVar

import orjson

from service.documents.schemas.words import list_of, shown

_LARGEST = 2**63  # no integer of a document is as large


def canonical(value: Any) -> bytes:
    """The same for equal values, and only for these: 1 is equal to 1.0, but not to true."""
    if type(value) is str:
        return orjson.dumps(value)
    return orjson.dumps(_normal(value), option=orjson.OPT_SORT_KEYS)


def _normal(value: Any) -> Any:
    if type(value) is float:
        return int(value) if abs(value) < _LARGEST and value.is_integer() else value
    if type(value) is list:
        return [_normal(each) for each in value]
    if type(value) is dict:
        return {key: _normal(each) for key, each in value.items()}
    return value


class _Keyword:
    """As the library makes and calls it: what `validate` raises is the fault."""

    def __init__(self, _parent: dict[str, Any], value: Any, _path: list[str | int]) -> None:
        self._value = value


class UniqueItems(_Keyword):
    def validate(self, instance: Any) -> None:
        if self._value and type(instance) is list and len(instance) > 1:
            seen = {canonical(each) for each in instance}
            if len(seen) != len(instance):
                raise ValueError("No two elements may be equal.")


class Enum(_Keyword):
    def __init__(self, parent: dict[str, Any], value: Any, path: list[str | int]) -> None:
        super().__init__(parent, value, path)
        self._allowed = {canonical(each) for each in value}

    def validate(self, instance: Any) -> None:
        if canonical(instance) not in self._allowed:
            raise ValueError(f"Give one of these: {list_of(self._value)}.")


class Const(_Keyword):
    def __init__(self, parent: dict[str, Any], value: Any, path: list[str | int]) -> None:
        super().__init__(parent, value, path)
        self._only = canonical(value)

    def validate(self, instance: Any) -> None:
        if canonical(instance) != self._only:
            raise ValueError(f"Give {shown(self._value)}.")


class _Bound(_Keyword):
    words: ClassVar[str]
    holds: ClassVar[Callable[[Any, Any], Any]]

    def validate(self, instance: Any) -> None:
        if type(instance) in (int, float) and not type(self).holds(instance, self._value):
            raise ValueError(self.words.format(self._value))


class Minimum(_Bound):
    words = "Give {} or more."
    holds = operator.ge


class Maximum(_Bound):
    words = "Give {} or less."
    holds = operator.le


class ExclusiveMinimum(_Bound):
    words = "Give more than {}."
    holds = operator.gt


class ExclusiveMaximum(_Bound):
    words = "Give less than {}."
    holds = operator.lt


KEYWORDS: dict[str, Any] = {
    "const": Const,
    "enum": Enum,
    "exclusiveMaximum": ExclusiveMaximum,
    "exclusiveMinimum": ExclusiveMinimum,
    "maximum": Maximum,
    "minimum": Minimum,
    "uniqueItems": UniqueItems,
}
