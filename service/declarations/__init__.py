"""The collections that the service serves, as a file of its operator declares them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urljoin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from service.declarations.indexes import Index, read_file
from service.declarations.schemas import Faults, read_schema
from service.documents.schemas import Schema
from service.errors import ConfigurationError
from service.settings import Settings, rules

DEFAULT = "stuff"
RESERVED = frozenset(
    "commit docs redoc openapi healthz readyz metrics problems assets".split()  # noqa: SIM905
)

MongoName = Annotated[str, Field(min_length=1), AfterValidator(rules.collection_name)]
CollectionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]


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
    metadata: bool = True
    read_only: bool = False
    indexes: tuple[Index, ...] = ()


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


class Entry(BaseModel):
    """A collection, as the file declares it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        str | None,
        Field(
            description="The singular name of a document, after which types and operations of the "
            "OpenAPI document are named. Without it, the collection's name."
        ),
    ] = None
    mongodb: Annotated[
        MongoName | None,
        Field(description="The collection's name in the database. Without it, the same name."),
    ] = None
    declared_schema: Annotated[
        dict[str, Any] | None,
        Field(
            alias="schema",
            description="What documents look like: a JSON Schema 2020-12, or a `$ref` to a file "
            "beside. Without one they are any objects.",
        ),
    ] = None
    read_only: Annotated[
        bool, Field(description="Whether every write is refused. The feed works.")
    ] = False
    indexes: Annotated[
        tuple[Index, ...],
        Field(description="Indexes that are created in the background at the start."),
    ] = ()


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: Annotated[Literal[1], Field(description="The version of this format.")]
    collections: Annotated[
        dict[CollectionName, Entry], Field(description="The collections by their names in paths.")
    ]


def file_schema() -> dict[str, Any]:
    """The JSON Schema of the file."""
    return _File.model_json_schema()


def read_declarations(settings: Settings) -> Declarations:
    """The declarations of the settings. Raises `ConfigurationError`, which names each fault with
    its place."""
    entries = {} if settings.collections is None else _read(settings.collections)
    schemas = {} if settings.collections is None else _schemas(settings.collections, entries)
    usual = _usual(settings, entries.pop(DEFAULT, Entry()), schemas.get(DEFAULT))
    others = [
        Declaration(
            name,
            entry.name or _title(schemas.get(name)) or name,
            entry.mongodb or name,
            description=_description(schemas.get(name)),
            schema=schemas.get(name),
            read_only=entry.read_only,
            indexes=entry.indexes,
        )
        for name, entry in entries.items()
    ]
    declared = [usual, *others]
    if settings.collections is not None:
        _check(settings.collections, declared)
    return Declarations(declared)


def _schemas(file: Path, entries: Mapping[str, Entry]) -> dict[str, Schema]:
    """The schemas of the collections that have one. Raises `ConfigurationError` with the faults of
    all of them."""
    schemas: dict[str, Schema] = {}
    faults: list[str] = []
    for name, entry in entries.items():
        if entry.declared_schema is not None:
            try:
                schemas[name] = read_schema(file, name, entry.declared_schema)
            except Faults as found:
                faults += found.faults
    if faults:
        raise ConfigurationError("collections", "\n".join(dict.fromkeys(faults)))
    return schemas


def _title(schema: Schema | None) -> str | None:
    """The title of a schema, or of the file to which it refers, if that can be a name."""
    title = _member(schema, "title")
    return title if title is not None and re.fullmatch(r"[A-Z][A-Za-z0-9]*", title) else None


def _description(schema: Schema | None) -> str | None:
    return _member(schema, "description")


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
    return Declaration(
        DEFAULT,
        entry.name or "Document",
        entry.mongodb or settings.collection,
        description=_description(schema),
        schema=schema,
        read_only=entry.read_only,
        indexes=indexes,
    )


def _read(file: Path) -> dict[str, Entry]:
    try:
        return _File.model_validate_json(file.read_bytes()).collections
    except OSError as error:
        detail = f"{file} cannot be read: {error.strerror}."
        raise ConfigurationError("collections", detail) from None
    except ValidationError as error:
        faults = [
            f"{file.name}#/{'/'.join(map(str, fault['loc']))}: {fault['msg']}."
            for fault in error.errors(include_url=False, include_input=False)
        ]
        raise ConfigurationError("collections", "\n".join(faults)) from None


def _check(file: Path, declared: list[Declaration]) -> None:
    """No two collections are one, and none hides another resource."""
    places: dict[str, str] = {}
    for each in declared:
        place = f"{file.name}#/collections/{each.collection}"
        if each.collection in RESERVED:
            raise ConfigurationError("collections", f"{place}: The name is reserved.")
        other = places.setdefault(each.mongodb, each.collection)
        if other != each.collection:
            detail = f"{place}: The documents of {other!r} are in {each.mongodb!r} already."
            raise ConfigurationError("collections", detail)
