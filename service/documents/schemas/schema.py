"""A schema, compiled once, and how documents are checked against it."""

from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any, TypeAlias

import orjson
from jsonschema_rs import (
    Draft202012Validator,
    RegexOptions,
    Registry,
    ValidationError,
    ValidationErrorKind,
)

from service.documents import codec, layout
from service.documents.layout import MAX_DOCUMENT_BYTES
from service.documents.schemas.keywords import KEYWORDS
from service.documents.schemas.references import BASE, Resources
from service.documents.schemas.words import explain, explained
from service.documents.typed import Types
from service.errors import DocumentTooLarge, SchemaViolation, json_pointer

Fault: TypeAlias = tuple[str, str]
"""A JSON Pointer, and what should be there."""

MAX_FAULTS = 20
"""Faults that a problem lists."""
LISTED_BYTES = 4096
"""Largest document, as BSON, of which several faults are listed. The library finds all of them
before it returns, at some 10 µs each; of a larger document the first one is named."""

TYPE = "Give one or several of these: array, boolean, integer, null, number, object, string."
METASCHEMA = {"$ref": "https://json-schema.org/draft/2020-12/schema"}


class SchemaFault(ValueError):
    """The schema is not valid. `path` leads to the place in it."""

    def __init__(self, detail: str, path: list[str | int]) -> None:
        super().__init__(detail)
        self.detail = detail
        self.path = path


class Schema:
    """A JSON Schema with which the fields of documents are checked, as it was written."""

    def __init__(
        self,
        verbatim: Any,
        uri: str,
        resources: Resources,
        max_bytes: int = MAX_DOCUMENT_BYTES,
        types: Types | None = None,
    ) -> None:
        """`uri` is what relative references in the schema are relative to, `resources` are the
        schemas that it may refer to, itself included; `max_bytes` bounds how long a check can take;
        `types` are those of its `x-bson`. Raises `SchemaFault`."""
        self.verbatim = verbatim
        self.uri = uri
        self.resources = resources
        self.types = types
        self._max_bytes = max_bytes
        try:
            self._validator = Draft202012Validator(
                verbatim,
                registry=Registry([*resources.items()]),
                base_uri=uri,
                offline=True,  # the library would read files, and ask servers
                validate_formats=True,
                pattern_options=RegexOptions(),  # in linear time
                mask="The value",  # may be as long as the document
                keywords=KEYWORDS,
            )
        except ValidationError as error:
            raise SchemaFault(explain(error), [*error.instance_path]) from None
        except ValueError as error:  # a reference that leads nowhere
            raise SchemaFault(_of_library(str(error)), []) from None

    @property
    def documents(self) -> Resources:
        """The files that the schema may refer to, by their paths, which are relative to it."""
        return {
            uri.removeprefix(BASE): schema
            for uri, schema in self.resources.items()
            if uri.startswith(BASE) and uri != self.uri
        }

    def check(self, fields: bytes) -> Generator[None, None, bytes]:
        """The fields (a BSON document) as they are stored: with values of their types in place of
        strings at typed paths. Yields between its steps, each in compiled code, and in long ones.

        Raises `SchemaViolation` unless the fields fit, and `DocumentTooLarge` if they are too large
        to be checked. What is checked are the strings of typed paths as they were sent, and other
        types that JSON lacks as their relaxed Extended JSON.
        """
        if len(fields) > self._max_bytes:
            raise DocumentTooLarge(
                f"As BSON the fields have {len(fields):,} bytes. So that its check does not take "
                f"too long, a document of this collection has at most {self._max_bytes:,}.",
                self._max_bytes,
            )
        if self.types is not None:
            return (yield from self._typed(self.types, fields))
        text = codec.dumps(fields)
        yield
        if faults := (yield from self._faults_of(text, len(fields))):
            raise SchemaViolation(faults)
        return fields

    def _typed(self, types: Types, fields: bytes) -> Generator[None, None, bytes]:
        values = yield from codec.decoded(fields)
        yield
        yield from types.show(values)
        text = codec.as_json(values, fields)
        yield
        faults = yield from self._faults_of(text, len(fields))
        if not faults or len(fields) <= LISTED_BYTES:
            known = {pointer for pointer, _ in faults}
            unread = [(json_pointer(path), said) for path, said in (yield from types.store(values))]
            faults += [fault for fault in unread if fault[0] not in known]
        if faults:
            raise SchemaViolation(faults[:MAX_FAULTS])
        yield
        return layout.encode_fields(values)

    def _faults_of(self, text: bytes, size: int) -> Generator[None, None, list[Fault]]:
        """The faults of a document as JSON; `size` is that of its BSON in bytes."""
        value = orjson.loads(text)
        yield
        return [] if self._validator.is_valid(value) else self.faults(value, size)

    def faults(self, value: Any, size: int) -> list[Fault]:
        """The first places where the value does not fit, as JSON Pointers, and what should be
        there. `size` is that of the value in bytes."""
        return [*islice(self._faults(value, size), MAX_FAULTS)]

    def _faults(self, value: Any, size: int) -> Iterator[Fault]:
        """The JSON Pointer and the explanation of each fault."""
        for error in self._errors(value, size):
            for path, detail in explained(error):
                yield json_pointer(path), detail

    def _errors(self, value: Any, size: int) -> Iterator[ValidationError]:
        if size <= LISTED_BYTES:
            yield from self._validator.iter_errors(value)
            return
        try:
            self._validator.validate(value)
        except ValidationError as error:
            yield error


def faults_of(schema: Any) -> Iterator[SchemaFault]:
    """All places where the schema is not one, by the schema of schemas."""
    metaschema = Draft202012Validator(
        METASCHEMA,
        offline=True,
        validate_formats=True,
        pattern_options=RegexOptions(),
        mask="It",
        keywords=KEYWORDS,
    )
    for error in metaschema.iter_errors(schema):
        # The one union of the schema of schemas is that of `type`.
        is_type = isinstance(error.kind, ValidationErrorKind.AnyOf)
        yield SchemaFault(TYPE if is_type else explain(error), [*error.instance_path])


def _of_library(message: str) -> str:
    text = message[:1].upper() + message[1:]
    return text if text.endswith(".") else f"{text}."
