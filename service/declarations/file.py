"""The file that declares collections: what may be in it, and what is wrong with it."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StrictBool, ValidationError

from service.declarations.indexes import Index
from service.documents import strict_json
from service.errors import InvalidDocument, MalformedJSON, json_pointer
from service.settings import rules
from service.settings.faults import cause

MAX_BYTES = 1024 * 1024
MAX_COLLECTIONS = 100


def _with_own_names(indexes: tuple[Index, ...]) -> tuple[Index, ...]:
    names = [index.name_of() for index in indexes]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"Two indexes have the name {name}. Give one another `name`.")
    return indexes


MongoName = Annotated[str, Field(min_length=1), AfterValidator(rules.collection_name)]
CollectionName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
IdType = Literal["string", "objectid", "uuid", "integer"]
ModelName = Annotated[str, Field(pattern=r"^[A-Z][A-Za-z0-9]{0,62}$")]


class Entry(BaseModel):
    """A collection, as the file declares it."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[
        ModelName | None,
        Field(
            description="The singular name of a document, such as `Book`, after which types and "
            "operations of the OpenAPI document are named. Without it, the `title` of the schema, "
            "else the collection's name."
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
            "beside. Without one, any object is accepted. A string in it may say as what it is "
            "stored: `x-bson` is `date`, `objectid`, `decimal`, `binary` or `uuid`.",
        ),
    ] = None
    id: Annotated[
        IdType,
        Field(
            description="The type of `_id`. Paths have its canonical string, and POST makes one, "
            "except of integers."
        ),
    ] = "string"
    metadata: Annotated[
        StrictBool,
        Field(
            description="Whether documents keep the entity tag and the time of the last write in "
            "`_stuff`. Without it nothing is added to them: entity tags are computed, and there is "
            "no `Last-Modified`."
        ),
    ] = True
    read_only: Annotated[
        StrictBool, Field(description="Whether every write is refused. The feed works.")
    ] = False
    indexes: Annotated[
        tuple[Index, ...],
        AfterValidator(_with_own_names),
        Field(description="Indexes that are created in the background at the start."),
    ] = ()


class File(BaseModel):
    """The whole file."""

    model_config = ConfigDict(extra="forbid")

    schema_of_file: Annotated[
        str | None,
        Field(alias="$schema", description="The JSON Schema of this file, for editors."),
    ] = None
    version: Annotated[Literal[1], Field(description="The version of this format.")]
    collections: Annotated[
        dict[CollectionName, Entry],
        Field(max_length=MAX_COLLECTIONS, description="The collections by their names in paths."),
    ]


class FileFaults(Exception):
    """What is wrong with the file: a line each, with its place."""

    def __init__(self, *faults: str) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def read_entries(file: Path) -> dict[str, Entry]:
    """The entries of the file, by the names of the collections. Raises `FileFaults`."""
    try:
        if file.stat().st_size > MAX_BYTES:
            raise FileFaults(f"{file} has more than {MAX_BYTES:,} bytes.")
        # Not pydantic's own parser, which keeps the last of two equal keys.
        return File.model_validate(strict_json.loads(file.read_bytes())).collections
    except OSError as error:
        raise FileFaults(f"{file} cannot be read: {error.strerror}.") from None
    except (MalformedJSON, InvalidDocument) as error:
        pointer = getattr(error, "pointer", "")
        raise FileFaults(f"{file.name}#{pointer}: {error.detail}") from None
    except ValidationError as error:
        raise FileFaults(
            *(
                f"{file.name}#{json_pointer(_path(fault['loc']))}: {cause(fault)}."
                for fault in error.errors(include_url=False, include_input=False)
            )
        ) from None


def _path(loc: tuple[str | int, ...]) -> list[str | int]:
    """The path in the file: without pydantic's mark for the name of a member."""
    return [step for step in loc if step != "[key]"]
