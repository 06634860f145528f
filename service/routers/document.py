"""`/stuff/{id}`: one document."""

from email.utils import format_datetime
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from service import codec, openapi
from service.codec import Stored
from service.routers.dependencies import JSON, DocumentId, Fields, StoreDep
from service.store import Written

router = APIRouter(prefix="/stuff", tags=["documents"])
PATH = "/{id:document_id}"


@router.get(PATH, summary="Read a document", responses=openapi.GET_DOCUMENT)
async def get_document(id: DocumentId, store: StoreDep) -> Response:
    """Answers the document: its fields as they were stored, in their own order, behind `_id`.

    BSON types that JSON lacks, stored by other programs, are written as relaxed
    [Extended JSON](https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/).
    """
    stored = await store.get(id)
    return Response(codec.to_json(stored.bson), headers=_validators(stored), media_type=JSON)


@router.head(
    PATH,
    summary="Read a document's headers",
    response_class=Response,
    responses=openapi.HEAD_DOCUMENT,
)
async def head_document(id: DocumentId, store: StoreDep) -> Response:
    """Answers what GET would, without the body."""
    stored = await store.get(id)
    size = str(len(codec.to_json(stored.bson)))
    headers = {"Content-Length": size, **_validators(stored)}
    return Response(headers=headers, media_type=JSON)


@router.put(
    PATH,
    summary="Create or replace a document",
    status_code=201,
    response_class=Response,
    responses=openapi.PUT_DOCUMENT,
    openapi_extra=openapi.DOCUMENT_BODY,
)
async def put_document(
    request: Request, id: DocumentId, fields: Fields, store: StoreDep
) -> Response:
    """Stores a JSON object of any shape. The answer comes when a majority of the replica set has
    it in its journal.

    The body may repeat `_id` if it equals the id in the path.
    """
    return written_response(request, await store.put(id, fields))


@router.delete(
    PATH,
    summary="Delete a document",
    status_code=204,
    response_class=Response,
    responses=openapi.DELETE_DOCUMENT,
)
async def delete_document(id: DocumentId, store: StoreDep) -> Response:
    """Deletes the document for good."""
    await store.delete(id)
    return Response(status_code=204)


def written_response(request: Request, written: Written, content: bytes | None = None) -> Response:
    """201 with `Location` for a document that was created, 200 for one that was replaced."""
    headers = {
        "ETag": f'"{written.metadata.etag}"',
        "Last-Modified": format_datetime(written.metadata.updated_at, usegmt=True),
    }
    if written.created:
        root = request.scope.get("root_path", "").rstrip("/")
        headers["Location"] = f"{root}/stuff/{quote(written.id, safe='')}"
    media_type = None if content is None else JSON
    return Response(content, 201 if written.created else 200, headers, media_type)


def _validators(stored: Stored) -> dict[str, str]:
    """The validators of a document (RFC 9110, section 8.8)."""
    headers = {"ETag": f'"{stored.etag}"'}
    if stored.updated_at is not None:
        headers["Last-Modified"] = format_datetime(stored.updated_at, usegmt=True)
    return headers
