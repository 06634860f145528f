"""The collections that the service serves, as a file of its operator declares them.

So far the file says where documents are and whether they may be written, and nothing about their
fields.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from service.declarations.indexes import Index, read_file
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
    schema: Any = None
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
    usual = _usual(settings, entries.pop(DEFAULT, Entry()))
    others = [
        Declaration(
            name,
            entry.name or name,
            entry.mongodb or name,
            read_only=entry.read_only,
            indexes=entry.indexes,
        )
        for name, entry in entries.items()
    ]
    declared = [usual, *others]
    if settings.collections is not None:
        _check(settings.collections, declared)
    return Declarations(declared)


def _usual(settings: Settings, entry: Entry) -> Declaration:
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
