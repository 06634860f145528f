"""The collections that the service serves, as a file of its operator declares them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from service.declarations.file import Entry, File, FileFaults, read_entries
from service.declarations.indexes import Index, read_file
from service.declarations.schemas import read_schema
from service.documents.published import published_names
from service.documents.published.names import operation_names, pascal
from service.documents.schemas import Schema
from service.documents.typed import Types
from service.errors import ConfigurationError
from service.settings import Settings

DEFAULT = "stuff"
PLAIN_NAMES = frozenset(
    {
        "Commit", "CommitResult", "Deleted", "Document", "DocumentPage", "FailedLine", "Fault",
        "Fields", "Health", "JsonPatch", "LoadReport", "MergePatch", "Metadata", "PatchOperation",
        "Problem", "UpdateOperators", "Write", "WriteResult",
    }
)  # fmt: skip
"""The types of the OpenAPI document that belong to no declared collection."""
PLAIN_OPERATIONS = frozenset(
    {
        "commit", "create_document", "delete_document", "delete_documents", "get_document",
        "get_documents", "get_liveness", "get_readiness", "head_document", "head_documents",
        "options_collection", "options_document", "patch_document", "put_document",
    }
)  # fmt: skip
"""Its operations that belong to none."""
RESERVED = frozenset(
    "commit docs redoc openapi healthz readyz metrics problems assets".split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Declaration:
    """A collection, and where its documents are."""

    collection: str
    """Its path, and its name in scopes of keys and on the command line."""
    name: str
    """The singular name of a document."""
    mongodb: str
    """Its name in the database."""
    description: str | None = None
    schema: Schema | None = None
    """What documents look like; None means any object."""
    id: str = "string"
    """The type of its ids, one of `documents.ids.TYPES`."""
    metadata: bool = True
    """Whether its documents have `_stuff`."""
    read_only: bool = False
    indexes: tuple[Index, ...] = ()

    @property
    def types(self) -> Types | None:
        """The types of its paths, if the schema has any."""
        return None if self.schema is None else self.schema.types


class Declarations(Mapping[str, Declaration]):
    """The declarations by the names in paths; `stuff` is always among them, as the first."""

    def __init__(self, declarations: list[Declaration]) -> None:
        self._by_name = {each.collection: each for each in declarations}

    def __getitem__(self, name: str) -> Declaration:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)


def file_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    schema = File.model_json_schema()
    # Pydantic refuses other names, but does not say so.
    schema["properties"]["collections"]["additionalProperties"] = False
    return schema


def read_declarations(settings: Settings) -> Declarations:
    """The declarations of the settings. Raises `ConfigurationError`, which names each fault with
    its place."""
    file = settings.collections
    if file is None:
        return Declarations([_usual(settings, Entry(), None)])
    try:
        entries = read_entries(file)
        schemas = _schemas(file, entries)
    except FileFaults as error:
        raise ConfigurationError("collections", str(error)) from None
    usual = _usual(settings, entries.pop(DEFAULT, Entry()), schemas.get(DEFAULT))
    others = [_declaration(name, entry, schemas.get(name)) for name, entry in entries.items()]
    declared = [usual, *others]
    if faults := [*_collisions(file, declared)]:
        raise ConfigurationError("collections", "\n".join(faults))
    return Declarations(declared)


def _declaration(collection: str, entry: Entry, schema: Schema | None) -> Declaration:
    return Declaration(
        collection,
        entry.name or _title(schema) or pascal(collection),
        entry.mongodb or collection,
        description=_member(schema, "description"),
        schema=schema,
        id=entry.id,
        metadata=entry.metadata,
        read_only=entry.read_only,
        indexes=entry.indexes,
    )


def _schemas(file: Path, entries: Mapping[str, Entry]) -> dict[str, Schema]:
    """The schemas of the collections that have one. Raises `FileFaults` with the faults of all of
    them."""
    schemas: dict[str, Schema] = {}
    faults: list[str] = []
    for name, entry in entries.items():
        if entry.declared_schema is not None:
            try:
                schemas[name] = read_schema(file, name, entry.declared_schema)
            except FileFaults as found:
                faults += found.faults
    if faults:
        raise FileFaults(*dict.fromkeys(faults))
    return schemas


def _title(schema: Schema | None) -> str | None:
    """The title of a schema, or of the file to which it refers, as the name of a type."""
    title = pascal(_member(schema, "title") or "")
    return title if title[:1].isalpha() else None


def _member(schema: Schema | None, name: str) -> str | None:
    if schema is None:
        return None
    value = schema.verbatim.get(name)
    if value is None and "$ref" in schema.verbatim:
        target = schema.resources.get(urljoin(schema.uri, schema.verbatim["$ref"]))
        value = target.get(name) if isinstance(target, dict) else None
    return value if isinstance(value, str) else None


def _usual(settings: Settings, entry: Entry, schema: Schema | None) -> Declaration:
    """The declaration of `stuff`, by its entry in the file and by the settings that are older."""
    for setting, own in (("collection", entry.mongodb), ("indexes", entry.indexes)):
        if own and getattr(settings, setting) != Settings.model_fields[setting].default:
            detail = f"STUFF_COLLECTIONS says this of {DEFAULT!r} already. Say it in one place."
            raise ConfigurationError(setting, detail)
    indexes = entry.indexes
    if settings.indexes is not None:
        indexes = tuple(read_file(settings.indexes))
    # Without a schema the types have plain names: Document, DocumentPage.
    name = "Document" if schema is None else _title(schema) or pascal(DEFAULT)
    return Declaration(
        DEFAULT,
        entry.name or name,
        entry.mongodb or settings.collection,
        description=_member(schema, "description"),
        schema=schema,
        id=entry.id,
        metadata=entry.metadata,
        read_only=entry.read_only,
        indexes=indexes,
    )


def _collisions(file: Path, declared: list[Declaration]) -> Iterator[str]:
    """No two collections are one, or have types or operations of one name, and none hides another
    resource."""
    databases: dict[str, str] = {}
    names = dict.fromkeys(PLAIN_NAMES, DEFAULT)
    operations = dict.fromkeys(PLAIN_OPERATIONS, DEFAULT)
    for each in declared:
        own = each.collection
        place = f"{file.name}#/collections/{own}"
        if own in RESERVED:
            yield f"{place}: The name is reserved."
        if databases.setdefault(each.mongodb, own) != own:
            yield (
                f"{place}: The documents of {databases[each.mongodb]!r} are in {each.mongodb!r} "
                "already. Choose another `mongodb`."
            )
        if own == DEFAULT and each.schema is None:
            continue
        for operation in operation_names(each.name, own).values():
            if (other := operations.setdefault(operation, own)) != own:
                yield (
                    f"{place}: {other!r} has an operation {operation} already. "
                    "Choose another `name`."
                )
                break
        if each.schema is not None:
            schema = each.schema
            for name in published_names(each.name, schema.verbatim, schema.documents):
                if (other := names.setdefault(name, own)) != own:
                    yield f"{place}: {other!r} has a type {name} already. Choose another `name`."
                    break
