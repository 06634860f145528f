"""A file of declarations that is made of what is in the database."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from service.declarations import (
    DEFAULT,
    PLAIN_NAMES,
    PLAIN_OPERATIONS,
    Declaration,
    read_declarations,
)
from service.declarations.existing_indexes import declared
from service.declarations.file import MAX_BYTES
from service.declarations.naming import model_names, path_name
from service.declarations.writing import written
from service.documents import layout
from service.documents.inference import Doubt, Inferred
from service.documents.published import published_names
from service.documents.published.names import operation_names
from service.documents.schemas import Schema
from service.errors import ConfigurationError, SchemaViolation
from service.settings import Settings

FILE = "collections.json"


class Drafts:
    """The collections of the file to be."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._entries: dict[str, dict[str, Any]] = {}
        self._types = set(PLAIN_NAMES)
        self._operations = set(PLAIN_OPERATIONS)

    def add(
        self, mongodb: str, inferred: Inferred, indexes: Mapping[str, Mapping[str, Any]]
    ) -> tuple[str, list[Doubt]]:
        """Add the collection of this name in the database. Returns its name in paths, and what is
        not certain about it. `indexes` are those of the collection by their names, as the driver
        describes them."""
        is_usual = mongodb == self._settings.collection
        name = DEFAULT if is_usual else path_name(mongodb, self._entries)
        doubts = list(inferred.doubts)
        entry: dict[str, Any] = {}
        if inferred.schema is not None or not is_usual:
            entry["name"] = self._model_name(mongodb, name, inferred.schema)
        if mongodb != name and not is_usual:
            entry["mongodb"] = mongodb
        if inferred.id != "string":
            entry["id"] = inferred.id
        if not inferred.has_metadata:
            entry["metadata"] = False
        if found := _indexes(indexes, doubts):
            entry["indexes"] = found
        if inferred.schema is not None:
            entry["schema"] = inferred.schema
        self._entries[name] = entry
        return name, doubts

    def faults(self, name: str, documents: Iterable[bytes]) -> list[str]:
        """Check documents of a collection as the service will. Returns sentences about the first
        one that does not fit, with the places in it."""
        try:
            schema = self._read(self.text(name))[name].schema
            if schema is not None:
                for document in documents:
                    _check(schema, document)
        except ConfigurationError as error:
            return str(error).splitlines()
        except SchemaViolation as violation:
            return [f"{pointer}: {detail}" for pointer, detail in violation.faults]
        return []

    def drop_schema(self, name: str) -> None:
        """Let the documents of a collection be any object."""
        self._entries[name].pop("schema", None)

    def text(self, *names: str) -> str:
        """The file, with these collections or with all."""
        entries = {name: self._entries[name] for name in names or self._entries}
        return written({"version": 1, "collections": entries}) + "\n"

    def check(self) -> None:
        """Raise `ConfigurationError` unless the service can read the whole file."""
        text = self.text()
        if len(text.encode()) > MAX_BYTES:
            detail = f"The file would have more than {MAX_BYTES:,} bytes. Name fewer collections."
            raise ConfigurationError("collections", detail)
        self._read(text)

    def _read(self, text: str) -> Mapping[str, Declaration]:
        with TemporaryDirectory(prefix="stuff-") as folder:
            file = Path(folder) / FILE
            file.write_text(text, encoding="utf-8")
            settings = self._settings.model_copy(update={"collections": file, "indexes": None})
            return read_declarations(settings)

    def _model_name(self, mongodb: str, name: str, schema: Any) -> str:
        """The first name after which no type and no operation is named yet."""
        for candidate in model_names(mongodb):
            types = set() if schema is None else set(published_names(candidate, schema, {}))
            operations = set(operation_names(candidate, name).values())
            if not types & self._types and not operations & self._operations:
                self._types |= types
                self._operations |= operations
                return candidate
        raise AssertionError("There are names without end.")


def _check(schema: Schema, document: bytes) -> None:
    """Raises `SchemaViolation`."""
    _, fields = layout.split(document)
    for _ in schema.check(fields):
        pass


def _indexes(
    descriptions: Mapping[str, Mapping[str, Any]], doubts: list[Doubt]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for name, description in sorted(descriptions.items()):
        if [*description["key"]] == [("_id", 1)]:
            continue
        try:
            index = declared(name, description)
        except ValueError as error:
            doubts.append(Doubt(("indexes",), f"{name} {error}. It is left out."))
        else:
            found.append(index.model_dump(by_alias=True, exclude_defaults=True))
    return found
