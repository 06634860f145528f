"""The dependencies of endpoints, each named once as a type."""

from service.web.dependencies.commits import ChangesDep
from service.web.dependencies.documents import Fields, NewDocuments
from service.web.dependencies.keys import OnceCommitting, OnceCreating, OncePatching
from service.web.dependencies.parameters import (
    DocumentId,
    GivenFilter,
    LastEvent,
    Meta,
    OnlyFilter,
    PreconditionsDep,
    PreferenceDep,
    SelectionDep,
    SingleParameters,
    ViewDep,
)
from service.web.dependencies.patches import PATCH_TYPES, DocumentPatch
from service.web.dependencies.state import (
    AssetsDep,
    CollectionDep,
    CommitsDep,
    DatabaseDep,
    OutlinesDep,
)

__all__ = [
    "PATCH_TYPES",
    "AssetsDep",
    "ChangesDep",
    "CollectionDep",
    "CommitsDep",
    "DatabaseDep",
    "DocumentId",
    "DocumentPatch",
    "Fields",
    "GivenFilter",
    "LastEvent",
    "Meta",
    "NewDocuments",
    "OnceCommitting",
    "OnceCreating",
    "OncePatching",
    "OnlyFilter",
    "OutlinesDep",
    "PreconditionsDep",
    "PreferenceDep",
    "SelectionDep",
    "SingleParameters",
    "ViewDep",
]
