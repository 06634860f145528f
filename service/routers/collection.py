"""`/stuff`: the collection."""

import orjson
from fastapi import APIRouter, Request, Response

from service import openapi
from service.routers.dependencies import NewFields, StoreDep
from service.routers.document import written_response

router = APIRouter(tags=["documents"])


@router.post(
    "/stuff",
    summary="Create a document under a new id",
    status_code=201,
    responses=openapi.CREATE_DOCUMENT,
    openapi_extra=openapi.DOCUMENT_BODY,
)
async def create_document(request: Request, fields: NewFields, store: StoreDep) -> Response:
    """Stores a JSON object of any shape under an id that the service makes: a UUIDv7, so that ids
    sort by the time they were made.
    """
    written = await store.create(fields)
    return written_response(request, written, orjson.dumps({"_id": written.id}))
