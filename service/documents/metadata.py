"""How documents of a collection are stored: with the service's metadata, or without it."""

from datetime import UTC, datetime
from typing import Protocol

import bson

from service.documents import layout
from service.documents.layout import METADATA_KEY, Metadata, Stored


class Layout(Protocol):
    """Makes and reads the documents of one collection."""

    def new(self, id: bytes, fields: bytes) -> Stored:
        """The document to store, of the element `_id` and the fields (BSON). Raises
        `DocumentTooLarge`."""

    def changed(self, current: bytes, fields: bytes) -> Stored:
        """The stored document with other fields, under the same element `_id`. Raises
        `DocumentTooLarge`."""

    def mark(self) -> bytes:
        """The elements that update operators set besides the fields that they change. The database
        applies them, and cannot compute the entity tag."""

    def read(self, document: bytes) -> Stored:
        """The stored document, with its entity tag computed from its fields."""

    def read_view(self, document: bytes, view: str) -> Stored:
        """Some fields of a stored document, as the database returned them for `view`. The entity
        tag is that of the view."""


class WithMetadata:
    """Documents end with `_stuff`, which has the entity tag and the time of the last write."""

    read = staticmethod(layout.read)
    read_view = staticmethod(layout.read_view)

    def new(self, id: bytes, fields: bytes) -> Stored:
        etag, now = layout.entity_tag(fields), datetime.now(UTC)
        return Stored(layout.assemble(id, fields, etag, now), etag, now, Metadata(etag, now))

    def changed(self, current: bytes, fields: bytes) -> Stored:
        return self.new(layout.element(current, b"_id"), fields)

    def mark(self) -> bytes:
        return bson.encode({METADATA_KEY: {"updated_at": datetime.now(UTC)}})[4:-1]


class WithoutMetadata:
    """Documents are the `_id` and the fields, and nothing else: when one was written last is not
    known.

    The name `_stuff` is reserved here too. A document may have it, from another program or from
    before: it is no part of the fields, and stays until the document is replaced.
    """

    def new(self, id: bytes, fields: bytes) -> Stored:
        return _of_fields(layout.joined(id, fields), fields)

    def changed(self, current: bytes, fields: bytes) -> Stored:
        id, rest = layout.element(current, b"_id"), layout.element(current, b"_stuff")
        return _of_fields(layout.joined(id, fields, rest), fields)

    def mark(self) -> bytes:
        return b""

    def read(self, document: bytes) -> Stored:
        _, fields = layout.split(document)
        return _of_fields(document, fields)

    def read_view(self, document: bytes, view: str) -> Stored:
        return Stored(document, layout.view_tag(document, view), None, None)


def _of_fields(document: bytes, fields: bytes) -> Stored:
    etag = layout.entity_tag(fields)
    return Stored(document, etag, None, Metadata(etag, None))
