"""`/stuff`: the collection."""

import orjson
from fastapi import APIRouter, Request, Response

from service.openapi import operation_id, operations
from service.problems import allowed_methods
from service.routers.dependencies import NewFields, PreferenceDep, StoreDep
from service.routers.direct import DirectRoute
from service.routers.responses import written_response

router = APIRouter(
    tags=["documents"],
    route_class=DirectRoute,
    default_response_class=Response,
    generate_unique_id_function=operation_id,
)


@router.post(
    "/stuff",
    summary="Create a document under a new id",
    status_code=201,
    responses=operations.CREATE_DOCUMENT,
    openapi_extra=operations.PREFERENCE | operations.DOCUMENT_BODY,
)
async def create_document(
    request: Request, fields: NewFields, preference: PreferenceDep, store: StoreDep
) -> Response:
    """Stores a JSON object of any shape under an id that the service makes: a UUIDv7, so that ids
    sort by the time they were made.
    """
    written = await store.create(fields)
    id = orjson.dumps({"_id": written.id})
    return written_response(request, written, preference, minimum=id)


@router.options(
    "/stuff",
    summary="Ask what can be done",
    status_code=204,
    responses=operations.COLLECTION_OPTIONS,
)
async def options_collection(request: Request) -> Response:
    """Answers the methods of the collection."""
    allow = ", ".join(allowed_methods(request.app, request))
    return Response(status_code=204, headers={"Allow": allow})
