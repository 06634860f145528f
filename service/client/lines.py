"""Lines of documents, as they are in files and requests: JSON, or Extended JSON."""

from collections.abc import Generator
from typing import Any

import orjson
from bson import json_util

from service.documents import codec, extended_json, layout
from service.documents.ids import TEXT, Key, key_of
from service.errors import StuffError

NDJSON, NDEJSON = "application/x-ndjson", "application/x-ndejson"
"""The media types of lines. In Extended JSON nothing is lost."""


def identified(record: bytes, media_type: str) -> tuple[bytes, Key | None]:
    """The record with an `_id`, and its key. A record that is not a document is returned as it is:
    the server says what is wrong."""
    try:
        value = orjson.loads(record)
    except orjson.JSONDecodeError:
        return record, None
    if not isinstance(value, dict):
        return record, None
    if "_id" in value:
        return record, _key(value["_id"], media_type)
    if media_type == NDEJSON and extended_json.RAW_KEY in value:
        return record, _key_of_raw(record)
    id = TEXT.new()
    rest = record.lstrip()[1:]
    return b'{"_id":"%s"%s%s' % (id.encode(), b"," if value else b"", rest), id


def id_of(line: bytes, media_type: str) -> Any:
    """The `_id` of a line that a server sent, as a value of `bson`."""
    if media_type == NDEJSON:
        value = _result(extended_json.loads(line))
        return (codec.decode(value) if isinstance(value, bytes) else value)["_id"]
    id = orjson.loads(line)["_id"]
    return json_util.loads(orjson.dumps(id)) if isinstance(id, dict) else id


def _key(id: Any, media_type: str) -> Key | None:
    if isinstance(id, str):
        return id
    if media_type == NDJSON:
        return None
    try:
        value = _result(extended_json.loads(orjson.dumps({"_id": id})))
        return key_of(layout.id_element(value["_id"]))
    except StuffError:
        return None


def _key_of_raw(record: bytes) -> Key | None:
    try:
        document = _result(extended_json.loads(record))
    except StuffError:
        return None
    element, _ = layout.split(document)
    return None if element is None else key_of(element)


def _result(work: Generator[None, None, Any]) -> Any:
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value
