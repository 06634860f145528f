"""Cursors: where in an order a page ended, as opaque text.

A cursor contains the key of the last document, and a checksum of that, the order, the filter and
the collection: a cursor that was changed, or is sent with another query, is refused. It grants no
access.
"""

import base64
import binascii
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import bson
from bson.errors import BSONError

from service.documents import codec
from service.documents.query.order import Sort, SortKey
from service.documents.query.values import EMPTY
from service.errors import InvalidParameter

DEFAULT_COLLECTION = "stuff"
CHECKSUM_SIZE = 8  # bytes
MAX_KEY_BYTES = 4096


def encode_cursor(
    filter: Mapping[str, Any], sort: Sort, key: SortKey, collection: str = DEFAULT_COLLECTION
) -> str:
    """The cursor after the document with this key.

    Raises `InvalidParameter` if the values are too long for a cursor.
    """
    values = [[] if value is EMPTY else [value] for value in key]
    payload = bson.encode({"k": values})
    if len(payload) > MAX_KEY_BYTES:
        raise InvalidParameter(
            "sort",
            f"A document has more than {MAX_KEY_BYTES:,} bytes in the fields of the order. "
            "Sort by shorter ones.",
        )
    sealed = _checksum(filter, sort, payload, collection) + payload
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()


def decode_cursor(
    cursor: str, filter: Mapping[str, Any], sort: Sort, collection: str = DEFAULT_COLLECTION
) -> SortKey:
    """The key in the cursor. Raises `InvalidParameter` unless it was made for this query."""
    try:
        sealed = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error):
        raise _invalid() from None
    checksum, payload = sealed[:CHECKSUM_SIZE], sealed[CHECKSUM_SIZE:]
    if checksum != _checksum(filter, sort, payload, collection):
        raise _invalid()
    try:
        key = tuple(value[0] if value else EMPTY for value in codec.decode(payload)["k"])
    except (BSONError, KeyError, TypeError):
        raise _invalid() from None
    if len(key) != len(sort.fields):
        raise _invalid()
    return key


def _checksum(filter: Mapping[str, Any], sort: Sort, payload: bytes, collection: str) -> bytes:
    query: dict[str, Any] = {"filter": filter, "sort": [list(field) for field in sort.fields]}
    if collection != DEFAULT_COLLECTION:  # whose cursors are older than other collections
        query["collection"] = collection
    return blake2b(
        bson.encode(query) + payload, digest_size=CHECKSUM_SIZE, person=b"stuff cursor"
    ).digest()


def _invalid() -> InvalidParameter:
    return InvalidParameter(
        "after",
        "The cursor does not belong to this query. Take `next` of a page with the same filter and "
        "sort, or leave `after` out to start again.",
    )
