"""The body of a PATCH."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Query, Request

from service.documents.patches import JsonPatch, MergePatch, Patch
from service.documents.updates import MEDIA_TYPE, Update
from service.errors import (
    DatabaseUnavailable,
    DocumentTooLarge,
    InvalidDocument,
    InvalidParameter,
    InvalidPatch,
    MalformedJSON,
    Overloaded,
    UnsupportedMediaType,
    raises,
)
from service.store.budget import FREE
from service.web.access import check_may_read
from service.web.bodies import claim_of
from service.web.dependencies.documents import Body, media_type
from service.web.dependencies.parameters import PreconditionsDep
from service.web.dependencies.state import BudgetDep, CollectionDep, DatabaseDep
from service.web.direct import immediate

PATCH_FORMATS: dict[str, Callable[[bytes], Patch | Update]] = {
    "application/merge-patch+json": MergePatch,
    "application/json-patch+json": JsonPatch,
    MEDIA_TYPE: Update,
}
PATCH_TYPES = ", ".join(PATCH_FORMATS)
READING = "A patch with `test`, `copy`, `move` or an operator that uses what is stored"


@raises(UnsupportedMediaType)
@immediate
def get_patch_format(request: Request) -> Callable[[bytes], Patch | Update]:
    """The format of the patch. Raises `UnsupportedMediaType`."""
    headers = {"Accept-Patch": PATCH_TYPES}
    return PATCH_FORMATS[media_type(request, list(PATCH_FORMATS), "none", headers)]


# In this order: the type of a body is checked first, then its size, then its content.
PatchFormat = Annotated[Callable[[bytes], Patch | Update], Depends(get_patch_format)]
Upsert = Annotated[
    bool,
    Query(
        description="Whether update operators create the document if there is none. Not with "
        "conditions, and not with other kinds of patches."
    ),
]


@raises(
    MalformedJSON,
    InvalidDocument,
    InvalidPatch,
    InvalidParameter,
    DocumentTooLarge,
    DatabaseUnavailable,
    Overloaded,
    check_may_read,
)
async def get_patch(
    request: Request,
    form: PatchFormat,
    body: Body,
    preconditions: PreconditionsDep,
    budget: BudgetDep,
    database: DatabaseDep,
    collection: CollectionDep,
    upsert: Upsert = False,
) -> Patch | Update:
    """The patch in the body. Raises `Forbidden` if it reads, and the client may not."""
    if upsert and (form is not Update or preconditions.guard_writes()):
        raise InvalidParameter(
            "upsert", f"Only {MEDIA_TYPE} without conditions takes 'upsert'. Leave it out."
        )
    patch = Update(body, upsert=True) if upsert else form(body)
    if patch.reads:
        check_may_read(request, READING)
    if isinstance(patch, Update):
        if collection.types is not None:
            await collection.slices.run(patch.convert(collection.types), patch.size)
        if patch.has_patterns and not database.limits_patterns:
            patch.check_steps()
        if len(body) + patch.size > FREE:
            claim_of(request, budget).hold(len(body) + patch.size)
    return patch


DocumentPatch = Annotated[Patch | Update, Depends(get_patch)]
