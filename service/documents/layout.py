"""A document as it is stored: its `_id`, its fields as they were sent, and `_stuff`, in this order.

`_stuff` is the service's metadata, which some collections do without (`metadata`). The fields are
encoded once, when they arrive; from then on they are bytes, which are hashed, stored and read back.

BSON: https://bsonspec.org/spec.html
"""

import struct
from collections.abc import Container
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, NamedTuple

import bson
from bson import CodecOptions
from bson.codec_options import DatetimeConversion
from bson.raw_bson import RawBSONDocument

from service.documents.elements import elements_of, value_end
from service.errors import DocumentTooLarge

MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""MongoDB's limit for one document, as BSON, `_id` and `_stuff` included."""

METADATA_KEY = "_stuff"

DECODE_OPTIONS = CodecOptions[dict[str, Any]](
    # Other programs may have stored what Python's own types cannot hold.
    datetime_conversion=DatetimeConversion.DATETIME_AUTO,
    unicode_decode_error_handler="replace",
)
_RAW_OPTIONS = DECODE_OPTIONS.with_options(document_class=RawBSONDocument)
_INT32 = struct.Struct("<i")
_INT64 = struct.Struct("<q")
# The parts of a document as it is stored, where they have a constant size or content.
_TEXT_ID = b"\x02_id\0"  # a length (4 bytes), the text, and a NUL follow
_TAG_SIZE = 32
_METADATA = bson.encode({METADATA_KEY: {"etag": "0" * _TAG_SIZE, "updated_at": datetime.now(UTC)}})
_TAG_START = _METADATA.index(b"0" * _TAG_SIZE) - 4
_BEFORE_TAG = _METADATA[4 : 4 + _TAG_START]
_BEFORE_TIME = _METADATA[4 + _TAG_START + _TAG_SIZE : -10]
_TAIL_SIZE = len(_METADATA) - 4
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Metadata(NamedTuple):
    """The metadata of a document, stored under `_stuff`."""

    etag: str
    updated_at: datetime | None


class Stored(NamedTuple):
    """A document, or some of its fields, as it is stored in the collection.

    `etag` is computed from the fields. `updated_at` is known only if the service wrote them last:
    another program may have changed the fields and left an old `_stuff` behind. `metadata` is that
    of the whole document.
    """

    bson: bytes
    etag: str
    updated_at: datetime | None
    metadata: Metadata | None

    @property
    def dated_etag(self) -> str:
        """The tag of the document together with the time of its last write, for representations
        that show both: the tag, a dot, and the milliseconds since 1970 in hexadecimal; `-` for a
        time that is not known."""
        if self.updated_at is None:
            return f"{self.etag}.-"
        return f"{self.etag}.{(self.updated_at - _EPOCH) // _MILLISECOND:x}"


def encode_fields(fields: dict[str, Any]) -> bytes:
    """The fields of a document (without `_id` and `_stuff`) as BSON."""
    return bson.encode(fields)


def entity_tag(fields: bytes) -> str:
    """The opaque tag of a document with these fields (BSON): 32 hexadecimal digits.

    Equal fields in equal order have equal tags, whatever the id and whoever wrote them.
    """
    return blake2b(fields, digest_size=16).hexdigest()


def whole(elements: bytes) -> bytes:
    """The document of these elements."""
    return _INT32.pack(len(elements) + 5) + elements + b"\0"


def id_element(id: Any) -> bytes:
    """The element `_id` of a document."""
    if type(id) is str:  # not a `Code`
        text = id.encode()
        return b"".join((_TEXT_ID, _INT32.pack(len(text) + 1), text, b"\0"))
    return bson.encode({"_id": id})[4:-1]


def split(document: bytes) -> tuple[bytes | None, bytes]:
    """The element `_id`, if there is one, and the fields."""
    id: bytes | None = None
    fields: list[bytes] = []
    for name, start, end in elements_of(document):
        if name == b"_id":
            id = document[start:end]
        elif name != b"_stuff":
            fields.append(document[start:end])
    return id, whole(b"".join(fields))


def assemble(id: bytes, fields: bytes, etag: str, updated_at: datetime) -> bytes:
    """The document to store, of the element `_id` and the fields.

    Raises `DocumentTooLarge` beyond `MAX_DOCUMENT_BYTES`.
    """
    # Without the length at the start of the fields and the NUL at their end.
    size = 4 + len(id) + len(fields) - 5 + _TAIL_SIZE
    if size > MAX_DOCUMENT_BYTES:
        raise _too_large(size)
    return b"".join(
        (
            _INT32.pack(size),
            id,
            fields[4:-1],
            _BEFORE_TAG,
            etag.encode(),
            _BEFORE_TIME,
            _INT64.pack((updated_at - _EPOCH) // _MILLISECOND),
            b"\0\0",
        )
    )


def joined(id: bytes, fields: bytes, rest: bytes = b"") -> bytes:
    """The document of the element `_id`, the fields and other elements.

    Raises `DocumentTooLarge` beyond `MAX_DOCUMENT_BYTES`.
    """
    document = whole(b"".join((id, fields[4:-1], rest)))
    if len(document) > MAX_DOCUMENT_BYTES:
        raise _too_large(len(document))
    return document


def _too_large(size: int) -> DocumentTooLarge:
    return DocumentTooLarge(
        f"As BSON the document has {size:,} bytes; MongoDB stores at most "
        f"{MAX_DOCUMENT_BYTES:,}. Split it.",
        MAX_DOCUMENT_BYTES,
    )


def element(document: bytes, name: bytes) -> bytes:
    """The top-level element with this name; empty if there is none."""
    for each, start, end in elements_of(document):
        if each == name:
            return document[start:end]
    return b""


class _Raw(RawBSONDocument):
    __slots__ = ()

    def __bool__(self) -> bool:
        """True: the driver asks for each document that it sends, and a length, which decides
        otherwise, would have all fields decoded."""
        return True


def raw(document: bytes) -> RawBSONDocument:
    """The document for the driver, which sends its bytes."""
    return _Raw(document, _RAW_OPTIONS)


def id_query(document: bytes) -> bytes:
    """The query (BSON) for the `_id` of a document whose first element that is. It finds no other
    document, whatever the type: `{"_id": value}` would take some objects for operators."""
    _, start, end = next(elements_of(document))
    equal = document[start : start + 1] + b"$eq\0" + document[start + len(_TEXT_ID) : end]
    return whole(b"\x03_id\0" + whole(equal))


def read(document: bytes) -> Stored:
    """The stored document, with its entity tag computed from its fields."""
    return _read_own(document) or _read_any(document)


def _read_own(document: bytes) -> Stored | None:
    """A document as `assemble` made it; None if another program has changed it.

    `_read_any` would read it too, but every GET calls this, and it need not walk the elements.
    """
    tail = len(document) - _TAIL_SIZE
    if not (
        tail > 0
        and document.startswith(_BEFORE_TAG, tail)
        and document.startswith(_BEFORE_TIME, tail + _TAG_START + _TAG_SIZE)
    ):
        return None
    if document.startswith(_TEXT_ID, 4):
        start = 13 + _INT32.unpack_from(document, 9)[0]
    elif document.startswith(b"_id\0", 5):
        start = value_end(document, document[4], 9)
    else:
        return None
    # If the stored tag is not that of the fields, another program has changed something.
    etag = entity_tag(_INT32.pack(tail - start + 5) + document[start:tail] + b"\0")
    if not document.startswith(etag.encode(), tail + _TAG_START):
        return None
    try:
        updated_at = _EPOCH + _INT64.unpack_from(document, len(document) - 10)[0] * _MILLISECOND
    except OverflowError:
        return None
    return Stored(document, etag, updated_at, Metadata(etag, updated_at))


def _read_any(document: bytes) -> Stored:
    metadata: dict[str, Any] = {}
    fields = []
    for name, start, end in elements_of(document):
        if name == b"_stuff":
            metadata = _decode_metadata(document[start:end])
        elif name != b"_id":
            fields.append(document[start:end])
    etag = entity_tag(whole(b"".join(fields)))
    updated_at = metadata.get("updated_at") if metadata.get("etag") == etag else None
    if not isinstance(updated_at, datetime):
        updated_at = None
    return Stored(document, etag, updated_at, Metadata(etag, updated_at))


def read_view(document: bytes, view: str) -> Stored:
    """Some fields of a stored document, as the database returned them for `view`.

    The entity tag is that of the view. The rest of the document is unknown, so its metadata is as
    recorded.
    """
    for name, start, end in elements_of(document):
        if name == b"_stuff":
            recorded = _decode_metadata(document[start:end])
            break
    else:
        recorded = {}
    etag, updated_at = recorded.get("etag"), recorded.get("updated_at")
    metadata = None
    if isinstance(etag, str) and isinstance(updated_at, datetime):
        metadata = Metadata(etag, updated_at)
    return Stored(document, view_tag(document, view), None, metadata)


def view_tag(document: bytes, view: str) -> str:
    """The entity tag of some fields of a document, as the database returned them for `view`."""
    return entity_tag(view.encode() + b"\0" + document)


def with_elements(document: bytes, names: Container[bytes] | None) -> bytes:
    """The document without `_stuff`, and with only these top-level elements unless that is None."""
    return whole(
        b"".join(
            document[start:end]
            for name, start, end in elements_of(document)
            if name != b"_stuff" and (names is None or name in names)
        )
    )


def _decode_metadata(element: bytes) -> dict[str, Any]:
    """The value of a stored `_stuff` element; empty if the service cannot have made it."""
    value = bson.decode(whole(element), DECODE_OPTIONS.with_options(tz_aware=True, tzinfo=UTC))[
        METADATA_KEY
    ]
    return value if isinstance(value, dict) else {}
