"""Indexes, as files declare them.

https://www.mongodb.com/docs/manual/reference/command/createIndexes/
"""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from service.errors import ConfigurationError, json_pointer


class Index(BaseModel):
    """An index: the fields in their order, 1 for ascending and -1 for descending, and options."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    keys: Annotated[
        dict[str, Literal[1, -1]],
        Field(min_length=1, description="The fields in their order: 1 ascending, -1 descending."),
    ]
    name: Annotated[
        str | None, Field(description="Its name. Without it, MongoDB's: `author_1__id_1`.")
    ] = None
    unique: Annotated[
        bool, Field(description="Whether no two documents may have the same values.")
    ] = False
    sparse: Annotated[
        bool, Field(description="Whether it leaves out documents without the fields.")
    ] = False
    partial_filter: Annotated[
        dict[str, Any] | None,
        Field(
            alias="partialFilterExpression",
            description="A filter of MongoDB: only documents that match are in the index.",
        ),
    ] = None
    expire_after: Annotated[
        int | None,
        Field(
            alias="expireAfterSeconds",
            ge=0,
            description="Seconds after the date in the field when MongoDB deletes the document.",
        ),
    ] = None

    def name_of(self) -> str:
        """Its name, which is MongoDB's if it has none of its own."""
        return self.name or "_".join(f"{field}_{order}" for field, order in self.keys.items())

    def options(self) -> dict[str, Any]:
        """All but the keys, under MongoDB's names."""
        return self.model_dump(by_alias=True, exclude_defaults=True, exclude={"keys"})


def read_file(path: Path) -> list[Index]:
    """The indexes of a JSON file: an array. Raises `ConfigurationError`."""
    try:
        return TypeAdapter(list[Index]).validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError("indexes", f"The file cannot be read: {error}.") from None
    except ValidationError as error:
        [fault, *_] = error.errors(include_url=False)
        place = json_pointer(fault["loc"]).removeprefix("/")
        raise ConfigurationError("indexes", f"{path}, at /{place}: {fault['msg']}.") from None
