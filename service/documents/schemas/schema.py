"""A schema, compiled once, and how documents are checked against it."""

from collections.abc import Generator, Iterator
from itertools import islice
from typing import Any

import orjson
from jsonschema_rs import Draft202012Validator, RegexOptions, Registry, ValidationError

from service.documents import codec
from service.documents.layout import MAX_DOCUMENT_BYTES
from service.documents.schemas.keywords import KEYWORDS
from service.documents.schemas.references import BASE, Resources
from service.documents.schemas.words import explain, explained
from service.errors import DocumentTooLarge, SchemaViolation, json_pointer

MAX_FAULTS = 20
"""Faults that a problem lists."""
LISTED_BYTES = 4096
"""Largest document, as BSON, of which several faults are listed. The library finds all of them
before it returns, at some 10 µs each; of a larger document the first one is named."""

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
    ) -> None:
        """`uri` is what relative references in the schema are relative to, `resources` are the
        schemas that it may refer to, itself included; `max_bytes` bounds how long a check can take.
        Raises `SchemaFault`."""
        self.verbatim = verbatim
        self.uri = uri
        self.resources = resources
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
            raise SchemaFault(_of_library(error.message), [*error.instance_path]) from None
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

    def check(self, fields: bytes) -> Generator[None, None, None]:
        """Raise `SchemaViolation` unless the fields (a BSON document) fit, or `DocumentTooLarge`
        if they are too large to be checked. Yields between its steps, each in compiled code.

        Types that JSON lacks are checked as their relaxed Extended JSON.
        """
        if len(fields) > self._max_bytes:
            raise DocumentTooLarge(
                f"As BSON the fields have {len(fields):,} bytes. So that its check does not take "
                f"too long, a document of this collection has at most {self._max_bytes:,}.",
                self._max_bytes,
            )
        text = codec.dumps(fields)
        yield
        value = orjson.loads(text)
        yield
        if not self._validator.is_valid(value):
            raise SchemaViolation(self.faults(value, len(fields)))

    def faults(self, value: Any, size: int) -> list[tuple[str, str]]:
        """The first places where the value does not fit, as JSON Pointers, and what should be
        there. `size` is that of the value in bytes."""
        return [*islice(self._faults(value, size), MAX_FAULTS)]

    def _faults(self, value: Any, size: int) -> Iterator[tuple[str, str]]:
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
        yield SchemaFault(explain(error), [*error.instance_path])


def _of_library(message: str) -> str:
    text = message[:1].upper() + message[1:]
    return text if text.endswith(".") else f"{text}."
