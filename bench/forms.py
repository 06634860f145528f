"""The documents that are read and written, in the forms in which the servers keep them."""

from datetime import UTC, datetime
from typing import Any

from bson.raw_bson import RawBSONDocument

from service.documents import layout


def fields_of(number: int, body_bytes: int) -> dict[str, Any]:
    return {"n": number, "name": "Ada", "text": "x" * max(0, body_bytes - 36)}


def as_sent(number: int, body_bytes: int) -> dict[str, Any]:
    return {"_id": str(number), **fields_of(number, body_bytes)}


def as_stored(number: int, body_bytes: int, id: str | None = None) -> RawBSONDocument:
    fields = layout.encode_fields(fields_of(number, body_bytes))
    etag = layout.entity_tag(fields)
    element = layout.id_element(id or str(number))
    return RawBSONDocument(layout.assemble(element, fields, etag, datetime.now(UTC)))
