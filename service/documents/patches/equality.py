"""Equality of JSON values, as JSON Patch tests it (RFC 6902, section 4.6)."""

from typing import Any

import orjson
from bson import Int64

from service.documents import codec
from service.documents.json_faults import without_strings

_OTHER_THAN_SKELETON = bytes(set(range(256)) - set(b"[]{},tf"))

_OPTIONS = orjson.OPT_PASSTHROUGH_SUBCLASS | orjson.OPT_PASSTHROUGH_DATETIME
_LEAVES = frozenset({str, int, bool, type(None), Int64})


def are_equal(found: Any, tested: Any) -> bool:
    """Whether a value of a document is the JSON value that is tested for.

    Numbers are equal by their value, objects in any order. What is equal is compared in compiled
    code, since a client can test for millions of values.
    """
    if found != tested:
        return _has_foreign(found) and _match(found, tested)
    if isinstance(tested, dict | list):
        return _skeleton(found) == _skeleton(tested)
    return _are_same(found, tested)


def _match(found: Any, tested: Any) -> bool:
    """As `are_equal`, value by value, up to the first that differs: those of types that JSON lacks
    are equal to their Extended JSON."""
    if codec.is_foreign(found):
        return bool(codec.Foreign(found) == tested)
    if isinstance(found, list) and isinstance(tested, list):
        pairs = zip(found, tested, strict=False)
        return len(found) == len(tested) and all(
            _are_same(one, other) if _is_simple(one) else _match(one, other) for one, other in pairs
        )
    if isinstance(found, dict) and isinstance(tested, dict):
        return found.keys() == tested.keys() and all(
            _match(child, tested[key]) for key, child in found.items()
        )
    return _are_same(found, tested)


def _is_simple(value: Any) -> bool:
    kind = type(value)
    return kind in _LEAVES or (not value and (kind is list or kind is dict))


def _are_same(found: Any, tested: Any) -> bool:
    """Whether values are equal, of which Python takes booleans for 0 and 1."""
    return bool(found == tested) and isinstance(found, bool) == isinstance(tested, bool)


def _has_foreign(value: Any) -> bool:
    """Whether the value contains any of a type that JSON lacks; false alarms are allowed."""
    found = codec.is_foreign(value)

    def default(value: Any) -> None:
        nonlocal found
        found = found or not isinstance(value, Int64)

    text = orjson.dumps(value, default=default, option=_OPTIONS)
    return found or b"null" in text  # as which orjson writes NaN and infinities


def _skeleton(value: Any) -> bytes:
    """The brackets, commas and booleans of a value."""
    text = orjson.dumps(value, default=_plain, option=_OPTIONS | orjson.OPT_SORT_KEYS)
    return without_strings(text).translate(None, _OTHER_THAN_SKELETON)


def _plain(value: Any) -> Any:
    if isinstance(value, codec.Foreign):
        return dict(value)
    return 0 if isinstance(value, Int64) else {}
