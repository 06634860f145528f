"""Finds the place in a JSON text of what cannot be stored without loss.

A client may send the text that is most expensive to search. So offsets are found by compiled code
(regular expressions without backtracking, `bytes` methods, `itertools`). The JSON Pointer of an
offset costs more, and is only determined in the first `MAX_SEARCHED` bytes.
"""

import json
import re
from itertools import accumulate
from typing import Any, NoReturn

import orjson

from service.errors import InvalidDocument, MalformedJSON

MAX_DEPTH = 100
"""Levels of objects and arrays; the document itself is the first, as in MongoDB."""

MAX_SEARCHED = 256 * 1024
"""Bytes in which the JSON Pointer of a fault is determined."""

CHUNK = 64
"""Brackets whose levels are bounded together."""

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_STRING_WITHOUT_NUL = rb'"[^"\\]*+(?:\\(?!u0000).[^"\\]*+)*+"'
_STRING_WITHOUT_DOLLAR = rb'"(?!\$)[^"\\]*+(?:\\.[^"\\]*+)*+"'


def _up_to(limit: bytes) -> bytes:
    """A pattern of the integers of as many digits that are at most this one."""
    if not limit:
        return b""
    smaller = b"[0-%d][0-9]{%d}|" % (limit[0] - ord("1"), len(limit) - 1)
    return b"(?:%s%c%s)" % (smaller if limit[:1] > b"0" else b"", limit[0], _up_to(limit[1:]))


_INT64 = rb"(?:[0-9]{1,18}+|%s|(?<=-)%d)(?![0-9])" % (_up_to(b"%d" % (2**63 - 1)), 2**63)
# Up to an integer that does not fit 64 bits, which is the group.
_LARGE_INTEGER = re.compile(
    rb"(?:[^0-9\"]++|%s|[0-9]++[.eE][0-9.eE+-]*+|%s)*+([0-9]++)" % (_STRING, _INT64), re.DOTALL
)
# Up to a key with a NUL.
_KEY_WITH_NUL = re.compile(
    rb'(?:[^"]++|' + _STRING_WITHOUT_NUL + rb"|" + _STRING + rb"(?![ \t\n\r]*+:))*+(?=\")",
    re.DOTALL,
)
# Up to a key that starts with `$`, in a text without space before colons.
_KEY_WITH_DOLLAR = re.compile(
    rb'(?:[^"]++|' + _STRING_WITHOUT_DOLLAR + rb"|" + _STRING + rb"(?!:))*+(?=\")", re.DOTALL
)
_KEY = re.compile(_STRING, re.DOTALL)
_OTHER_THAN_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = bytes.maketrans(b"[]{}", b"\x01\xff\x01\xff")  # 1 and -1
_CLOSING = {ord("["): b"]", ord("{"): b"}"}


def _pass_over(brackets: bytes, times: int) -> re.Pattern[bytes]:
    """A pattern that matches through this many of these brackets outside of strings."""
    pattern = rb'(?:(?:[^"%s]++|%s)*+[%s]){%d}' % (brackets, _STRING, brackets, times)
    return re.compile(pattern, re.DOTALL)


_PASS_OVER = {
    brackets: [(times, _pass_over(brackets, times)) for times in (4096, 64, 1)]
    for brackets in (rb"}", rb"\[\]{}")
}


def refuse_what_cannot_be_parsed(
    text: bytes, error: orjson.JSONDecodeError, max_depth: int
) -> None:
    """Raise if the text is too deep for the parser, or has a number too large for it."""
    if error.msg.startswith("depth limit"):
        refuse_first(text, None, None, find_deep_nesting(text, max_depth))
    if error.msg.startswith("number is infinity"):
        end = len(error.doc[: error.pos + 1].encode())
        integer = find_large_integer(text)
        if integer is not None and integer <= end:
            start = text[:integer]  # whatever follows may be malformed
            nesting = find_deep_nesting(start, max_depth)
            refuse_first(start, integer, find_key_with_nul(start), nesting)
        raise MalformedJSON("A number is larger than any 64-bit float. Send it as a string.")


def refuse_first(
    text: bytes, integer: int | None, key_with_nul: int | None, nesting: int | None
) -> None:
    """Raise `InvalidDocument` for the fault with the smallest of these offsets, if there is any."""
    found = [offset for offset in (integer, key_with_nul, nesting) if offset is not None]
    if not found:
        return
    offset = min(found)
    if offset == integer:
        detail = "The integer does not fit 64 bits. Send it as a string, or as a float."
    elif offset == nesting:
        detail = f"Nested more than {MAX_DEPTH} levels deep. Flatten the document."
    else:
        detail = "A key holds a NUL character. BSON cannot store it; rename it."
    if offset > MAX_SEARCHED:
        raise InvalidDocument(f"{detail} It is at byte {offset:,} of the body.")
    if offset != key_with_nul:
        raise InvalidDocument(detail, _path(text[:offset], b"null"))
    raise InvalidDocument(detail, path_of_key(text, offset))


def refuse_repeated_key(text: bytes) -> NoReturn:
    """Raise `InvalidDocument` for the first object that has a key twice; there is one."""
    detail = "The key appears twice in one object. Keep one of them."
    closed = 0  # objects

    def check(pairs: list[tuple[str, Any]]) -> None:
        nonlocal closed
        closed += 1
        if len(pairs) > 1 and len(dict(pairs)) != len(pairs):
            raise _RepeatedKey(pairs)

    searched = text[:MAX_SEARCHED].decode(errors="ignore")
    try:
        json.loads(searched, object_pairs_hook=check)
    except _RepeatedKey as found:
        end = _offset_of(text, rb"}", closed)
        *path, _ = _path(text[:end], b',"":null')
        raise InvalidDocument(detail, [*path, found.key]) from None
    except ValueError:  # the text is cut off
        pass
    raise InvalidDocument(f"{detail} It ends after byte {MAX_SEARCHED:,} of the body.")


class _RepeatedKey(Exception):
    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                break
            seen.add(key)
        self.key = key


def find_large_integer(text: bytes) -> int | None:
    """The offset of the first integer that does not fit 64 bits."""
    match = _LARGE_INTEGER.match(text)
    if match is None:
        return None
    start = match.start(1)
    return start - (text[start - 1 : start] == b"-")


def find_key_with_nul(text: bytes) -> int | None:
    """The offset of the first key that holds a NUL."""
    match = _KEY_WITH_NUL.match(text)
    return match.end() if match else None


def find_key_with_dollar(text: bytes) -> int | None:
    """The offset of the first key that starts with `$`, in a text that `orjson` wrote."""
    match = _KEY_WITH_DOLLAR.match(text)
    return match.end() if match else None


def find_deep_nesting(text: bytes, max_depth: int = MAX_DEPTH) -> int | None:
    """The offset of the first object or array that is nested deeper than that."""
    steps = _brackets(text).translate(_STEPS)
    level = 0
    for start in range(0, len(steps), CHUNK):
        chunk = steps[start : start + CHUNK]
        opened = chunk.count(1)
        # Most chunks end too early to go too deep, whatever the order of their brackets.
        if level + opened > max_depth:
            levels = [*accumulate(memoryview(chunk).cast("b"), initial=level)]
            if max(levels) > max_depth:
                number = start + levels.index(max_depth + 1)
                return _offset_of(text, rb"\[\]{}", number)
        level += 2 * opened - len(chunk)
    return None


def without_strings(text: bytes) -> bytes:
    """The parts of a JSON text that are outside of strings."""
    if b"\\" in text:
        # Backslashes occur only in strings. Without these escapes, each quote begins or ends a
        # string.
        text = text.replace(b"\\\\", b"").replace(b'\\"', b"")
    return b"".join(text.split(b'"')[::2])


def _brackets(text: bytes) -> bytes:
    return without_strings(text).translate(None, _OTHER_THAN_BRACKETS)


def _offset_of(text: bytes, brackets: bytes, number: int) -> int:
    """The offset of the bracket of this number, from 1, of those that are outside of strings."""
    position = 0
    for times, pattern in _PASS_OVER[brackets]:
        while number >= times:
            match = pattern.match(text, position)
            assert match is not None
            position, number = match.end(), number - times
    return position - 1


def path_of_key(text: bytes, offset: int) -> list[str | int]:
    """The path of the member whose key is at the offset."""
    key = _KEY.match(text, offset)
    assert key is not None
    *path, _ = _path(text[:offset], b'"":null')
    return [*path, json.loads(key[0])]


def _path(start: bytes, value: bytes) -> list[str | int]:
    """The path of the value that follows this start of a JSON text."""
    brackets = _brackets(start)
    # Each container that is still open began where the level was last below its own.
    levels = bytes(accumulate(memoryview(brackets.translate(_STEPS)).cast("b"), initial=0))
    opened = [brackets[levels.rindex(level)] for level in range(levels[-1])]
    end = b"".join(_CLOSING[bracket] for bracket in reversed(opened))
    # The last member of each object is enough, and correct even if keys are repeated.
    place = json.loads(start + value + end, object_pairs_hook=lambda pairs: pairs[-1:])
    path: list[str | int] = []
    for bracket in opened:
        if bracket == ord("{"):
            [(key, place)] = place
            path.append(key)
        else:
            path.append(len(place) - 1)
            place = place[-1]
    return path
