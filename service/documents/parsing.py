"""The document in a body or a line: parsed, checked and encoded as BSON."""

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from service.documents import layout, strict_json
from service.documents.ids import check_id, new_id
from service.errors import InvalidDocument


class SentMetadata(BaseModel):
    """The shape of `_stuff` in a document read with its metadata, which may be sent back."""

    model_config = ConfigDict(extra="forbid")

    etag: str
    updated_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None


def parse(body: bytes, id: str | None) -> bytes:
    """The fields (BSON) of the document in `body`, which will be stored under `id`.

    With `id=None` the service makes the id, so the body must not have one. Raises `MalformedJSON`
    and `InvalidDocument`.
    """
    value = checked_object(strict_json.loads(body))
    if "_id" in value:
        _check_own_id(value.pop("_id"), id)
    return _encode(value)


def parse_line(line: bytes) -> tuple[str, bytes]:
    """The id and the fields (BSON) of a document, with a new id if it has none.

    Raises `MalformedJSON`, `InvalidDocument` and `InvalidId`.
    """
    value = checked_object(strict_json.loads(line))
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
