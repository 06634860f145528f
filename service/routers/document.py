"""`/stuff/{id}`: one document."""

from functools import partial

from fastapi import APIRouter, Request, Response

from service.documents.ids import Id
from service.documents.preconditions import EXTENDED, Preconditions
from service.documents.query import View
from service.errors import PreconditionFailed, StuffError, raises
from service.openapi import document as operations
from service.openapi import operation_id
from service.security import reads, reads_or_writes, writes
from service.store.collection import Collection
from service.store.points import PointOperations, Written
from service.web.access import may_read
from service.web.blind import blind_fault, blind_response
from service.web.dependencies import (
    PATCH_TYPES,
    CollectionDep,
    DocumentId,
    DocumentPatch,
    Fields,
    LastEvent,
    Meta,
    OncePatching,
    PreconditionsDep,
    PreferenceDep,
    ViewDep,
)
from service.web.direct import DirectRoute
from service.web.events import feed_response, wants_events
from service.web.negotiation import negotiated, wants_extended
from service.web.once import Once
from service.web.problems import allowed_methods
from service.web.responses import (
    EJSON,
    JSON,
    DocumentResponse,
    Preference,
    text_of,
    validators,
    written_response,
)

router = APIRouter(
    prefix="/stuff",
    tags=["documents"],
    route_class=DirectRoute,
    default_response_class=Response,
    generate_unique_id_function=operation_id,
)
PATH = "/{id:document_id}"


@router.get(
    PATH,
    summary="Read a document",
    responses=operations.GET_DOCUMENT,
    openapi_extra=operations.READ_CONDITIONS,
)
@reads
@negotiated
@raises(PreconditionFailed, PointOperations.get, feed_response, wants_extended)
async def get_document(
    request: Request,
    id: DocumentId,
    view: ViewDep,
    preconditions: PreconditionsDep,
    collection: CollectionDep,
    last_event: LastEvent,
    meta: Meta = False,
) -> Response:
    """Returns the document: `_id`, then its fields in the order in which they were stored. With
    `Accept: text/event-stream` it returns the feed of its changes, whether it exists or not. It
    never ends: this page does not show it.

    BSON types that JSON lacks, stored by other programs, are returned as relaxed
    [Extended JSON](https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/). With
    `Accept: application/ejson` every value is returned as canonical Extended JSON, which PUT stores
    again without loss.
    """
    if wants_events(request):
        return await feed_response(request, collection.feed, last_event, id=id)
    return await _read(request, id, view, preconditions, collection, meta)


@router.head(
    PATH,
    summary="Read the headers of a document",
    responses=operations.HEAD_DOCUMENT,
    openapi_extra=operations.READ_CONDITIONS,
)
@reads
@negotiated
@raises(PreconditionFailed, PointOperations.get, wants_extended)
async def head_document(
    request: Request,
    id: DocumentId,
    view: ViewDep,
    preconditions: PreconditionsDep,
    collection: CollectionDep,
    meta: Meta = False,
) -> Response:
    """Returns the header fields of GET, without the body."""
    response = await _read(request, id, view, preconditions, collection, meta)
    return Response(status_code=response.status_code, headers=dict(response.headers))


@router.put(
    PATH,
    summary="Create or replace a document",
    status_code=201,
    responses=operations.PUT_DOCUMENT,
    openapi_extra=operations.WRITE_CONDITIONS | operations.DOCUMENT_BODY,
)
@writes
@raises(PointOperations.put)
async def put_document(
    request: Request,
    id: DocumentId,
    fields: Fields,
    preconditions: PreconditionsDep,
    preference: PreferenceDep,
    collection: CollectionDep,
) -> Response:
    """Stores a JSON object of any shape. The response comes when a majority of the replica set has
    it in its journal.

    The body may repeat the `_id` of the path. With `If-Match` the document is replaced only if it
    is unchanged; with `If-None-Match: *` it is only created, never replaced.
    """
    written = await collection.points.put(id, fields, preconditions)
    return await written_response(request, written, collection.dumps, preference)


@router.patch(
    PATH,
    summary="Change parts of a document",
    responses=operations.PATCH_DOCUMENT,
    openapi_extra=operations.PATCH_CONDITIONS | operations.PATCH_BODY,
)
@writes
@raises(PointOperations.patch, Once.respond)
async def patch_document(
    request: Request,
    id: DocumentId,
    patch: DocumentPatch,
    preconditions: PreconditionsDep,
    preference: PreferenceDep,
    collection: CollectionDep,
    once: OncePatching,
) -> Response:
    """Applies a JSON Merge Patch (RFC 7396), a JSON Patch (RFC 6902) or update operators of
    MongoDB, all of it or nothing, and returns the new document. Concurrent patches never lose each
    other's changes.

    Update operators count, and change arrays, without reading first. With `upsert=true` they create
    the document if there is none.

    A key or token without the scope `read` gets a 204 without an entity tag, and may not use the
    operations `test`, `copy` and `move`, nor operators other than `$set`, `$unset`, `$push` and
    `$pop`.
    """
    respond = partial(_patched, request, collection)
    try:
        if once is not None:
            work = collection.single.patch(id, patch, preconditions)
            return await once.respond(work, respond, preference, [collection.name])
        written = await collection.points.patch(id, patch, preconditions)
    except StuffError as error:
        if may_read(request):
            raise
        raise blind_fault(error) from None
    return await respond(written, preference)


@router.delete(
    PATH,
    summary="Delete a document",
    status_code=204,
    responses=operations.DELETE_DOCUMENT,
    openapi_extra=operations.DELETE_CONDITIONS,
)
@writes
@raises(PointOperations.delete)
async def delete_document(
    id: DocumentId, preconditions: PreconditionsDep, collection: CollectionDep
) -> Response:
    """Deletes the document; with `If-Match`, only if it is unchanged."""
    await collection.points.delete(id, preconditions)
    return Response(status_code=204)


@router.options(
    PATH, summary="List the methods", status_code=204, responses=operations.DOCUMENT_OPTIONS
)
@reads_or_writes
async def options_document(
    request: Request,
    id: DocumentId,  # noqa: ARG001 (checked)
) -> Response:
    """Returns the methods and the patch formats of a document."""
    allow = ", ".join(allowed_methods(request.app, request))
    patches = {"Accept-Patch": PATCH_TYPES} if "PATCH" in allow else {}
    return Response(status_code=204, headers={"Allow": allow, **patches})


async def _patched(
    request: Request, collection: Collection, written: Written, preference: Preference | None
) -> Response:
    if not may_read(request):
        return blind_response(request, written, preference)
    return await written_response(
        request, written, collection.dumps, preference, default="representation"
    )


async def _read(
    request: Request,
    id: Id,
    view: View | None,
    preconditions: Preconditions,
    collection: Collection,
    meta: bool,
) -> Response:
    points = collection.points
    stored = await (points.get(id) if view is None else points.get_view(id, view))
    # The tag of a view covers what it shows of `_stuff` already.
    etag = stored.dated_etag if meta and view is None else stored.etag
    is_extended = wants_extended(request)
    if is_extended:
        etag += EXTENDED
    fields = [*validators(stored, etag), (b"vary", b"Accept")]
    if not preconditions.allow_reading(stored, etag):
        return DocumentResponse(304, fields)
    dumps = collection.dumps_extended if is_extended else collection.dumps
    metadata = stored.metadata if meta else None
    body = await text_of(len(stored.bson), dumps, stored.bson, metadata, None)
    fields.append((b"content-type", (EJSON if is_extended else JSON).encode()))
    return DocumentResponse(200, fields, body)
