"""The document in a body or a line: parsed, checked and encoded as BSON."""

from collections.abc import Generator
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from service.documents import codec, extended_json, layout, strict_json
from service.documents.ids import TEXT, Id, Ids, canonical, key_of
from service.errors import InvalidDocument

MAX_ID_ELEMENT = 64 * 1024  # bytes
_OBJECT = 0x03  # the element type of objects
_NO_IDS = (0x04, 0x0B)  # the element types array and regular expression


class SentMetadata(BaseModel):
    """The shape of `_stuff` in a document read with its metadata, which may be sent back."""

    model_config = ConfigDict(extra="forbid")

    etag: str
    updated_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None


def parse(body: bytes, id: Id | None) -> bytes:
    """The fields (BSON) of the document in `body`, which will be stored under `id`.

    With `id=None` the service makes the id, so the body must not have one. Raises `MalformedJSON`
    and `InvalidDocument`.
    """
    value = checked_object(strict_json.loads(body))
    if "_id" in value:
        _check_own_id(id is not None and value.pop("_id") == canonical(id), id)
    return _encode(value)


def parse_line(line: bytes, ids: Ids = TEXT) -> tuple[bytes, bytes]:
    """The element `_id` and the fields (BSON) of a document, with a new id if it has none.

    Its `_id` is a canonical string of this type.

    Raises `MalformedJSON`, `InvalidDocument` and `InvalidId`.
    """
    value = checked_object(strict_json.loads(line))
    if "_id" not in value:
        return layout.id_element(ids.new()), _encode(value)
    id = value.pop("_id")
    if not isinstance(id, str):
        raise InvalidDocument(f"An _id is a string; this is {_json_type(id)}.", ["_id"])
    return layout.id_element(ids.parse(id)), _encode(value)


def parse_extended(body: bytes, id: Id | None) -> Generator[None, None, bytes]:
    """What `parse` returns, of a document in Extended JSON; in slices."""
    element, fields = yield from _extended(body)
    if element is not None:
        _check_own_id(id is not None and key_of(element) in (id, canonical(id)), id)
    return fields


def parse_extended_line(line: bytes, ids: Ids = TEXT) -> Generator[None, None, tuple[bytes, bytes]]:
    """What `parse_line` returns, of a document in Extended JSON; in slices.

    Its `_id` may have any type, but a string is a canonical string of this one.
    """
    element, fields = yield from _extended(line, ids)
    if element is None:
        return layout.id_element(ids.new()), fields
    if len(element) > MAX_ID_ELEMENT:
        raise InvalidDocument(f"The _id has more than {MAX_ID_ELEMENT:,} bytes as BSON.", ["_id"])
    if element[0] in _NO_IDS:
        raise InvalidDocument("MongoDB allows no array and no regular expression as _id.", ["_id"])
    if element[0] == _OBJECT and _starts_with_dollar(element):
        raise InvalidDocument("MongoDB allows no keys that start with '$' in an _id.", ["_id"])
    return element, fields


def _starts_with_dollar(element: bytes) -> bool:
    """Whether a key at the top level of an object starts with `$`, or a key anywhere is `$ref`."""
    if b"$" not in element:
        return False
    value = codec.decode(layout.whole(element))["_id"]
    return b"$ref\0" in element or any(key[:1] == "$" for key in value)


def _extended(text: bytes, ids: Ids = TEXT) -> Generator[None, None, tuple[bytes | None, bytes]]:
    """The element `_id`, if there is one, and the fields. A string in its place stands for an id of
    this type."""
    value = yield from extended_json.loads(text)
    if isinstance(value, bytes):
        return layout.split(value)
    value = checked_object(value)
    yield
    if "_id" not in value:
        return None, _encode(value)
    id = value.pop("_id")
    if ids is not TEXT and type(id) is str:  # else text of any kind, as other programs store it
        id = ids.parse(id)
    return layout.id_element(id), _encode(value)


def _encode(fields: dict[str, Any]) -> bytes:
    if layout.METADATA_KEY in fields:
        _check_metadata(fields.pop(layout.METADATA_KEY))
    return layout.encode_fields(fields)


def checked_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidDocument(f"A document is a JSON object; this is {_json_type(value)}.")
    for key in value:
        if key[:1] == "$":
            raise InvalidDocument(
                "MongoDB cannot store a top-level key that starts with '$'. Rename it or nest it.",
                [key],
            )
    return value


def _check_own_id(is_equal: bool, id: Id | None) -> None:
    if id is None:
        raise InvalidDocument(
            "POST makes the id. Leave _id out, or PUT the document under its id.", ["_id"]
        )
    if not is_equal:
        raise InvalidDocument(
            f"The document's _id differs from the id in the path, {canonical(id)!r}. Leave it out.",
            ["_id"],
        )


def _check_metadata(sent: Any) -> None:
    try:
        SentMetadata.model_validate(sent)
    except ValidationError:
        raise InvalidDocument(
            "_stuff is reserved for the service's metadata (etag, updated_at). Rename the key.",
            [layout.METADATA_KEY],
        ) from None


def _json_type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case dict():
            return "an object"
        case _:
            return "an array"
