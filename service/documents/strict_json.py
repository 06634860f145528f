"""Parses JSON, and refuses whatever could not be returned unchanged.

orjson parses: it refuses bytes that are not UTF-8, lone surrogates, NaN, Infinity and numbers that
overflow to one. It accepts the rest silently: integers beyond 64 bits become floats, the first of
two equal keys is dropped, NUL in a key and deep nesting are allowed.

A client can send millions of tokens, so no check goes through them one by one in Python: each is a
few passes over the text in compiled code. `service.documents.json_faults` then finds the place of
what is refused.
"""

import gc
import re
from typing import Any

import orjson

from service.documents import json_faults
from service.documents.json_faults import MAX_DEPTH
from service.errors import MalformedJSON

GC_LIMIT = 64 * 1024  # bytes; in a smaller text the collector makes no difference

_ANY_DIGIT_AS_0 = bytes.maketrans(b"0123456789", b"0000000000")
_MANY_DIGITS = b"0" * 19  # 2**63 has as many
_ESCAPED_QUOTE_OR_COLON = re.compile(rb"\\u00(?:22|3[aA])")


def loads(text: bytes, max_depth: int = MAX_DEPTH) -> Any:
    """Parse `text` (RFC 8259) without losing anything.

    Raises `MalformedJSON` for text that is not JSON, and `InvalidDocument`, with a pointer, for
    integers beyond 64 bits, nesting beyond `max_depth`, a repeated key, and NUL in a key.
    """
    try:
        value = parse(text)
    except orjson.JSONDecodeError as error:
        # Excessive depth and numbers are faults of the document, not of the JSON.
        json_faults.refuse_what_cannot_be_parsed(text, error, max_depth)
        raise MalformedJSON(f"{_sentence(str(error))} Send one JSON value in UTF-8.") from None
    integer = key = nesting = None
    if _MANY_DIGITS in text.translate(_ANY_DIGIT_AS_0):
        integer = json_faults.find_large_integer(text)
    if b"\\" in text and b"\\u0000" in text:
        key = json_faults.find_key_with_nul(text)
    if text.count(b"[") + text.count(b"{") > max_depth:
        nesting = json_faults.find_deep_nesting(text, max_depth)
    if integer is not None or key is not None or nesting is not None:
        json_faults.refuse_first(text, integer, key, nesting)
    if isinstance(value, dict | list) and _has_lost_keys(value, text):
        json_faults.refuse_repeated_key(text)
    return value


def parse(text: bytes) -> Any:
    """Parse what `loads` has parsed before.

    The collector is off meanwhile: it would look again and again at all objects that the parser
    makes, which takes ten times as long as to parse 1 MiB of nested arrays."""
    if len(text) < GC_LIMIT or not gc.isenabled():
        return orjson.loads(text)
    gc.disable()
    try:
        return orjson.loads(text)
    finally:
        gc.enable()


def _has_lost_keys(value: Any, text: bytes) -> bool:
    """Whether the value has fewer keys than the text, because some were repeated."""
    written = orjson.dumps(value)
    # Each key ends in `":`, unless there is space before the colon. An equal number of those in
    # both texts means that no key was dropped. One inside a string is in both, if it is not
    # escaped.
    if (
        text.count(b'":') == written.count(b'":')
        and not (b" :" in text or b"\n:" in text or b"\t:" in text or b"\r:" in text)
        and not (b"\\" in text and _ESCAPED_QUOTE_OR_COLON.search(text))
    ):
        return False
    colons = [json_faults.without_strings(each).count(b":") for each in (text, written)]
    return colons[0] != colons[1]


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
