"""What a document and its id may be, before either reaches the database."""

import unicodedata
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError
from uuid_utils import uuid7

from service.documents import codec, layout, strict_json
from service.documents.patches import Patch
from service.errors import InvalidDocument, InvalidId

MAX_ID_BYTES = 512


class SentMetadata(BaseModel):
    """The shape of `_stuff` in a document read with its metadata, which may be sent back."""

    model_config = ConfigDict(extra="forbid")

    etag: str
    updated_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None


def check_id(id: str) -> str:
    """The id itself. Raises `InvalidId` unless it has 1 to 512 bytes and no control character."""
    if not id:
        raise InvalidId("The id is empty. Put one after /stuff/, or POST to /stuff to get one.")
    size = len(id.encode())
    if size > MAX_ID_BYTES:
        raise InvalidId(f"The id has {size:,} bytes in UTF-8; at most {MAX_ID_BYTES} are allowed.")
    # isprintable is the fast proof: no control character is printable.
    if not id.isprintable() and any(unicodedata.category(character) == "Cc" for character in id):
        raise InvalidId("The id holds a control character. Use printable characters.")
    return id


def new_id() -> str:
    """An id that nobody else has, a UUIDv7: ids sort by the time they were made."""
    return str(uuid7())


def parse(body: bytes, id: str | None) -> bytes:
    """The fields (BSON) of the document in `body`, which is to be stored under `id`.

    With `id=None` the service makes the id, so the body may carry none.
    Raises `MalformedJSON` and `InvalidDocument`.
    """
    value = _checked_object(strict_json.loads(body))
    if "_id" in value:
        _check_own_id(value.pop("_id"), id)
    return _encode(value)


def parse_line(line: bytes) -> tuple[str, bytes]:
    """The id and the fields (BSON) of a document; the id is made if it has none.

    Raises `MalformedJSON`, `InvalidDocument` and `InvalidId`.
    """
    value = _checked_object(strict_json.loads(line))
    if "_id" not in value:
        return new_id(), _encode(value)
    id = value.pop("_id")
    if not isinstance(id, str):
        raise InvalidDocument(f"An _id is a string; this is {_json_type(id)}.", ["_id"])
    return check_id(id), _encode(value)


def _encode(fields: dict[str, Any]) -> bytes:
    if layout.METADATA_KEY in fields:
        _check_metadata(fields.pop(layout.METADATA_KEY))
    return layout.encode_fields(fields)


def apply(patch: Patch, document: bytes, id: str) -> bytes:
    """The fields (BSON) of the stored document when it is patched.

    Values that the patch leaves alone keep their BSON type. Raises what the patch raises, and
    `InvalidDocument` if the result is no document, or has another `_id`, or a `_stuff`.
    """
    value = _checked_object(patch.apply(codec.to_values(document)))
    if value.pop("_id", None) != id:
        raise InvalidDocument("The _id of a document cannot be changed.", ["_id"])
    if layout.METADATA_KEY in value:
        raise InvalidDocument("_stuff is the service's own and cannot be set.", ["_stuff"])
    return layout.encode_fields(_storable(value, []))


def _checked_object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise InvalidDocument(f"A document is a JSON object; this is {_json_type(value)}.")
    for key in value:
        if key[:1] == "$":
            raise InvalidDocument(
                "MongoDB stores no top-level key that starts with '$'. Rename it or nest it.",
                [key],
            )
    return value


def _storable(value: Any, path: list[str | int]) -> Any:
    """The patched value with its BSON types restored. What a parser checks in a text, such as the
    nesting, a patch can change by moving and copying."""
    if isinstance(value, codec.Foreign):
        value = value.restored()
    if not isinstance(value, dict | list):
        return value
    if len(path) >= strict_json.MAX_DEPTH:
        raise InvalidDocument(
            f"Nested more than {strict_json.MAX_DEPTH} levels deep. Flatten the document.", path
        )
    if isinstance(value, list):
        return [_storable(child, [*path, index]) for index, child in enumerate(value)]
    for key in value:
        if "\0" in key:
            raise InvalidDocument(
                "A key holds a NUL character. BSON cannot store it; rename it.", [*path, key]
            )
    return {key: _storable(child, [*path, key]) for key, child in value.items()}


def _check_own_id(own: Any, id: str | None) -> None:
    if id is None:
        raise InvalidDocument("POST makes the id. Leave _id out, or PUT to /stuff/{id}.", ["_id"])
    if own != id:
        raise InvalidDocument(
            f"The document's _id differs from the id in the path, {id!r}. Leave it out.", ["_id"]
        )


def _check_metadata(sent: Any) -> None:
    try:
        SentMetadata.model_validate(sent)
    except ValidationError:
        raise InvalidDocument(
            "_stuff is kept for the service's own metadata (etag, updated_at). Rename the key.",
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
