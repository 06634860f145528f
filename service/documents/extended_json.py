"""Stored documents as canonical Extended JSON v2 (`application/ejson`), without any loss.

https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/

Some documents cannot be told from others in Extended JSON: an object that is stored with a key such
as `$date` looks like a date, and BSON allows what Python's driver cannot hold (deprecated types,
text that is not UTF-8, repeated keys). These are written as their BSON, and read again:

    {"$bson": {"$binary": {"base64": "...", "subType": "00"}}}

No other document looks like that: MongoDB has no top-level keys that start with `$`.
"""

from collections.abc import Container, Generator, Iterable
from typing import Any

import bson
import orjson
from bson import Binary, Code
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError

from service.documents import codec, layout, strict_json
from service.documents.codec import Pick
from service.documents.extended_readers import READERS, Malformed, read_value
from service.documents.extended_writers import WRITERS, Unwritable
from service.documents.json_faults import MAX_DEPTH
from service.documents.layout import DECODE_OPTIONS, METADATA_KEY, Metadata
from service.errors import InvalidDocument

RAW_KEY = "$bson"
MAX_TEXT_DEPTH = MAX_DEPTH + 2
"""Levels of JSON: a value may take two more than in BSON."""
SLICE = 5000
"""Values that are read at once; it takes some milliseconds."""

_OPTIONS = DECODE_OPTIONS.with_options(datetime_conversion=DatetimeConversion.DATETIME_MS)
_TEXT = 0x02  # the element type; MongoDB stores the `_id` as the first element
_PLAIN = frozenset({str, bool, type(None)})


def dumps(document: bytes, metadata: Metadata | None = None, pick: Pick | None = None) -> bytes:
    """A stored document, or the part of it that `pick` returns, as Extended JSON.

    `_stuff` is added if the metadata is given, as in JSON: it is not a part of the document.
    """
    values = codec.decode(document, _OPTIONS)
    is_whole = _has_same_bytes(values, document)
    values.pop(METADATA_KEY, None)
    names = None
    if pick is not None:
        values = pick(values)
        names = {name.encode() for name in values}
    try:
        if not is_whole:
            raise Unwritable
        _write(values)
    except Unwritable:
        values = _as_bson(document, names)
    if metadata is not None:
        values[METADATA_KEY] = codec.shown(metadata)
    return orjson.dumps(values)


def dumps_typed(
    document: bytes, metadata: Metadata | None = None, pick: Pick | None = None
) -> bytes:
    """As `dumps`, for collections where a string as `_id` stands for an id of another type: a
    document whose `_id` is text is written as its BSON."""
    if document[4] != _TEXT:
        return dumps(document, metadata, pick)
    names = None if pick is None else {name.encode() for name in pick(codec.decode(document))}
    values = _as_bson(document, names)
    if metadata is not None:
        values[METADATA_KEY] = codec.shown(metadata)
    return orjson.dumps(values)


def _as_bson(document: bytes, names: Container[bytes] | None) -> dict[str, Any]:
    """The document, or its elements with these names, as its BSON."""
    content = layout.with_elements(document, names)
    return {RAW_KEY: WRITERS[Binary](Binary(content, 0))}


def loads(text: bytes) -> Generator[None, None, Any]:
    """The values of a document, or the document itself (BSON) if it was written as `$bson`.

    This is done in slices, between which other work may be done. Raises `MalformedJSON`, and
    `InvalidDocument` for what JSON refuses and for malformed values.
    """
    value = strict_json.loads(text, MAX_TEXT_DEPTH)
    if not isinstance(value, dict):
        return value  # which the caller refuses
    yield
    if RAW_KEY in value:
        return (yield from _raw(value))
    if not READERS.keys().isdisjoint(value):
        return value
    yield from _read(value)
    return value


def _has_same_bytes(values: dict[str, Any], document: bytes) -> bool:
    try:
        return bson.encode(values) == document
    except (BSONError, ValueError, TypeError, OverflowError):
        return False


def _write(document: dict[str, Any]) -> None:
    """Replace all values that JSON lacks. Raises `Unwritable`, after which some are replaced."""
    pending: list[dict[str, Any] | list[Any]] = [document]
    while pending:
        container = pending.pop()
        if type(container) is dict:
            if not READERS.keys().isdisjoint(container):
                raise Unwritable
            items: Iterable[tuple[Any, Any]] = container.items()
        else:
            items = enumerate(container)
        for key, value in items:
            kind = type(value)
            if kind in _PLAIN:
                continue
            if kind is dict or kind is list:
                if value:
                    pending.append(value)
                continue
            container[key] = WRITERS[kind](value)
            if kind is Code and value.scope is not None:
                pending.append(value.scope)


# A container, its key in another one, the entry of that, and its level.
_Entry = tuple[Any, Any, Any, int]


def _read(document: dict[str, Any]) -> Generator[None, None, None]:
    """Replace the objects that stand for other values. Raises `InvalidDocument`."""
    pending: list[_Entry] = [(document, None, None, 1)]
    count = 0
    is_type = READERS.keys().isdisjoint
    while pending:
        entry = pending.pop()
        container, _, _, level = entry
        for key, value in container.items() if type(container) is dict else enumerate(container):
            kind = type(value)
            if kind is list or (kind is dict and is_type(value)):
                if level == MAX_DEPTH:
                    raise _too_deep([*_path(entry), key])
                if value:
                    pending.append((value, key, entry, level + 1))
            elif kind is dict:
                try:
                    container[key] = new = read_value(value)
                except Malformed as error:
                    raise InvalidDocument(
                        f"This is no value of Extended JSON. {error.detail}",
                        [*_path(entry), key, *error.path],
                    ) from None
                if type(new) is Code and new.scope is not None:
                    if level == MAX_DEPTH:
                        raise _too_deep([*_path(entry), key])
                    place = (None, key, entry, level)
                    pending.append((new.scope, "$scope", place, level + 1))
            else:
                continue
            count += 1
            if count >= SLICE:
                count = 0
                yield


def _too_deep(path: list[str | int]) -> InvalidDocument:
    return InvalidDocument(f"Nested more than {MAX_DEPTH} levels deep. Flatten the document.", path)


def _path(entry: _Entry) -> list[str | int]:
    path: list[str | int] = []
    while entry[2] is not None:
        path.append(entry[1])
        entry = entry[2]
    return path[::-1]


def _raw(value: dict[str, Any]) -> Generator[None, None, bytes]:
    """The document that was written as its BSON. Raises `InvalidDocument`."""
    if not value.keys() <= {RAW_KEY, METADATA_KEY}:
        raise InvalidDocument(f"A document with {RAW_KEY} has no other keys.", [RAW_KEY])
    try:
        content = read_value(value[RAW_KEY])
        if type(content) is not bytes:
            raise TypeError
        decoded = codec.decode(content, _OPTIONS)
    except (BSONError, ValueError, TypeError, KeyError, OverflowError, RecursionError):
        detail = 'Give a document as BSON: {"$binary": {"base64": "...", "subType": "00"}}.'
        raise InvalidDocument(detail, [RAW_KEY]) from None
    yield
    if not _has_same_bytes(decoded, content):
        # Some engines refuse a whole batch of documents because of it.
        detail = (
            "The BSON has a deprecated type, text that is not UTF-8 or a repeated key, or its _id "
            "is not first. Only another program can store it."
        )
        raise InvalidDocument(detail, [RAW_KEY])
    if any(key[:1] == "$" for key in decoded):
        detail = "MongoDB cannot store a top-level key that starts with '$'."
        raise InvalidDocument(detail, [RAW_KEY])
    pending: list[tuple[Any, int]] = [(decoded, 1)]
    count = 0
    while pending:
        container, level = pending.pop()
        if level > MAX_DEPTH:
            raise _too_deep([RAW_KEY])
        for child in container.values() if isinstance(container, dict) else container:
            inner = child.scope if isinstance(child, Code) else child
            if isinstance(inner, dict | list):
                pending.append((inner, level + 1))
        count += 1
        if count >= SLICE:
            count = 0
            yield
    return content
