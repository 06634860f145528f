"""The collections that the service serves, as its operator declares them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from service.settings import Settings


@dataclass(frozen=True, slots=True)
class Declaration:
    """A collection, and where its documents are."""

    collection: str
    """Its path, and its name in scopes of keys and on the command line."""
    mongodb: str
    """Its name in the database."""
    read_only: bool = False
    indexes: Path | None = None


Declarations: TypeAlias = Mapping[str, Declaration]
"""By the names in paths; `stuff` is always among them, as the first."""


def read_declarations(settings: Settings) -> Declarations:
    """The declarations of the settings."""
    return {"stuff": Declaration("stuff", settings.collection, indexes=settings.indexes)}
