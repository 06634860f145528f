"""JSON text to Python values, refusing all that could not be given back unchanged.

orjson parses: it refuses bytes that are not UTF-8, lone surrogates, NaN, Infinity and numbers
that overflow to one. It is silent about others: integers beyond 64 bits become floats, of two equal
keys the first is dropped, NUL in a key and deep nesting are allowed. A quick survey of the result
shows whether any of these can have happened. Only then is the text itself read, token by token, to
know for certain and to name the place.
"""

import math
import re
from collections.abc import Iterator
from typing import Any

import orjson

from service.errors import InvalidDocument, MalformedJSON

MAX_DEPTH = 100
"""Levels of objects and arrays, the document itself being the first (as MongoDB has it)."""

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1

_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[{}\[\],:]|"|[^\s{}\[\],:"]+', re.DOTALL)
_SPACED_COLONS = (b" :", b"\t:", b"\n:", b"\r:")


def loads(text: bytes) -> Any:
    """Parse `text` (RFC 8259) without losing anything.

    Raises `MalformedJSON` for what is no JSON, and `InvalidDocument`, with a pointer, for integers
    beyond 64 bits, nesting beyond `MAX_DEPTH`, a repeated key, and NUL in a key.
    """
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # Too deep and too large are faults of the document, not of the JSON: named if it is those.
        _read_exactly(text)
        raise MalformedJSON(f"{_sentence(str(error))} Send one JSON value in UTF-8.") from None
    if _is_suspicious(value, text):
        _read_exactly(text)
    return value


def _is_suspicious(value: Any, text: bytes) -> bool:
    """Whether something may have been lost: false alarms are allowed, oversights are not."""
    level = [value] if isinstance(value, dict | list) else []
    keys = depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            return True
        below: list[Any] = []
        for container in level:
            if type(container) is dict:
                keys += len(container)
            for child in container.values() if type(container) is dict else container:
                kind = type(child)
                if kind is dict or kind is list:
                    below.append(child)
                elif (kind is int or kind is float) and not INT64_MIN < child < INT64_MAX:
                    return True
        level = below
    # Single bytes are found many times faster than longer texts: they are looked for first.
    if b"\\" in text and b"\\u0000" in text:
        return True
    if text.count(b":") == keys:
        return False  # no key was dropped
    # Colons stand in strings too. Without space before a colon each key ends in `":`. As many of
    # those as there are keys in the result means no key was dropped (one inside a string can only
    # raise the count).
    return text.count(b'":') != keys or any(colon in text for colon in _SPACED_COLONS)


def _read_exactly(text: bytes) -> None:
    """Raise for the first thing that `loads` refuses; tolerate any other fault of syntax."""
    path: list[str | int] = []
    seen: list[set[str] | None] = []  # one entry an open container; None for an array
    for token, is_key in _tokens(text, seen):
        match token[:1]:
            case b"{" | b"[":
                if len(seen) >= MAX_DEPTH:
                    raise InvalidDocument(
                        f"Nested more than {MAX_DEPTH} levels deep. Flatten the document.", path
                    )
                seen.append(set() if token == b"{" else None)
                path.append("" if token == b"{" else 0)
            case b"}" | b"]":
                seen.pop()
                path.pop()
            case b",":
                if isinstance(path[-1], int):
                    path[-1] += 1
            case b'"':
                if is_key:
                    _check_key(token, path, seen)
            case b"-" | b"0" | b"1" | b"2" | b"3" | b"4" | b"5" | b"6" | b"7" | b"8" | b"9":
                _check_number(token, path)


def _tokens(text: bytes, seen: list[set[str] | None]) -> Iterator[tuple[bytes, bool]]:
    """Each token, and whether it stands where an object has a key."""
    previous = b""
    for match in _TOKEN.finditer(text):
        token = match.group()
        in_object = bool(seen) and seen[-1] is not None
        if token == b'"' or (token in b"}]," and not seen):
            return  # a string without an end, or more closed than opened: no JSON
        yield token, in_object and previous in (b"{", b",")
        previous = token


def _check_key(token: bytes, path: list[str | int], seen: list[set[str] | None]) -> None:
    try:
        key = orjson.loads(token)
    except orjson.JSONDecodeError:
        return
    path[-1] = key
    keys = seen[-1]
    assert keys is not None
    if "\0" in key:
        raise InvalidDocument("A key holds a NUL character. BSON cannot store it; rename it.", path)
    if key in keys:
        raise InvalidDocument("The key stands twice in one object. Keep one of them.", path)
    keys.add(key)


def _check_number(token: bytes, path: list[str | int]) -> None:
    if token.lstrip(b"-").isdigit():
        # Python refuses to convert thousands of digits; 19 are enough to know.
        if len(token) > 20 or not INT64_MIN <= int(token) <= INT64_MAX:
            raise InvalidDocument(
                "The integer does not fit 64 bits. Send it as a string, or as a float.", path
            )
        return
    try:
        value = float(token)
    except ValueError:
        return
    if math.isinf(value):
        raise MalformedJSON("A number is larger than any 64-bit float. Send it as a string.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
