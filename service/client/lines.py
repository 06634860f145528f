"""Lines of documents, as they are in files and requests: JSON, or Extended JSON."""

from typing import Any, Final

import orjson
from bson import Binary, ObjectId, json_util

from service.documents import codec, extended_json, layout
from service.documents.ids import Id, Key, canonical, key_of
from service.documents.work import finished
from service.errors import StuffError

NDJSON, NDEJSON = "application/x-ndjson", "application/x-ndejson"
"""The media types of lines. In Extended JSON nothing is lost."""
UNNAMED: Final = ("unnamed",)
"""In place of the key of a document that has no `_id`."""


def key_of_record(record: bytes, media_type: str) -> Key | None:
    """The key of the `_id` of a record, or `UNNAMED`. None if it has no key: it is no document, and
    the server says what is wrong."""
    try:
        value = orjson.loads(record)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(value, dict):
        return None
    if "_id" in value:
        return _key(value["_id"], media_type)
    if media_type == NDEJSON and extended_json.RAW_KEY in value:
        return _key_of_raw(record)
    return UNNAMED


def named(record: bytes, id: Id) -> bytes:
    """The record of a document without an `_id`, with this one."""
    rest = record.lstrip()[1:].lstrip()
    return b'{"_id":"%s"%s%s' % (canonical(id).encode(), b"" if rest[:1] == b"}" else b",", rest)


def id_of(line: bytes, media_type: str) -> Any:
    """The `_id` of a line that a server sent, as a value of `bson`."""
    if media_type == NDEJSON:
        value = finished(extended_json.loads(line))
        return (codec.decode(value) if isinstance(value, bytes) else value)["_id"]
    id = orjson.loads(line)["_id"]
    return json_util.loads(orjson.dumps(id)) if isinstance(id, dict) else id


def _key(id: Any, media_type: str) -> Key | None:
    if isinstance(id, str):
        return id
    if media_type == NDJSON:
        return None
    try:
        value = finished(extended_json.loads(orjson.dumps({"_id": id})))
        key = key_of(layout.id_element(value["_id"]))
    except StuffError:
        return None
    # Where such ids are the type of the collection, their strings are the same ids.
    return canonical(key) if isinstance(key, ObjectId | Binary | int) else key


def _key_of_raw(record: bytes) -> Key | None:
    try:
        document = finished(extended_json.loads(record))
    except StuffError:
        return None
    element, _ = layout.split(document)
    return None if element is None else key_of(element)
