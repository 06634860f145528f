"""`/stuff`: the collection."""

from functools import partial
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from service.documents.codec import Dumps
from service.documents.ids import canonical
from service.documents.metadata import Layout
from service.documents.query import Selection
from service.errors import InvalidParameter, NotAcceptable, StuffError, raises
from service.openapi import collection as operations
from service.openapi import operation_id
from service.security import reads, reads_or_writes, writes
from service.store.collection import Collection
from service.store.loads import Report
from service.store.points import PointOperations, Written
from service.store.queries import Queries
from service.web.dependencies import (
    CollectionDep,
    GivenFilter,
    LastEvent,
    Meta,
    NewDocuments,
    OnceCreating,
    OnlyFilter,
    PreferenceDep,
    SelectionDep,
    SingleParameters,
)
from service.web.direct import DirectRoute
from service.web.events import EVENT_STREAM, feed_response
from service.web.negotiation import choose, negotiated
from service.web.once import Once
from service.web.pages import page_response
from service.web.problems import allowed_methods, problem_body, raw_path
from service.web.responses import EJSON, JSON, NDEJSON, NDJSON, Preference, written_response
from service.web.streams import DocumentStream, stream_response

PAGE_SIZE, MAX_PAGE_SIZE = 100, 1000
MAX_LIMIT = 2**31 - 1  # of a stream; the database and generated clients accept no more

router = APIRouter(
    tags=["documents"],
    route_class=DirectRoute,
    default_response_class=Response,
    generate_unique_id_function=operation_id,
)


Limit = Annotated[
    int | None,
    Query(
        ge=1,
        le=MAX_LIMIT,
        description=f"The most documents to return. A page has {PAGE_SIZE} by default and at most "
        f"{MAX_PAGE_SIZE}, fewer if they are large. A stream has no limit by default.",
    ),
]
Count = Annotated[
    bool, Query(description="Whether to add `total`, how many documents match the filter.")
]


@router.get(
    "/stuff",
    summary="Read documents",
    dependencies=[SingleParameters],
    responses=operations.GET_DOCUMENTS,
    openapi_extra=operations.FEED_POSITION,
)
@reads
@negotiated
@raises(NotAcceptable, InvalidParameter, Queries.page, feed_response)
async def get_documents(
    request: Request,
    selection: SelectionDep,
    collection: CollectionDep,
    last_event: LastEvent,
    limit: Limit = None,
    count: Count = False,
    meta: Meta = False,
) -> Response:
    """Returns a page of documents. What else `Accept` can ask for:

    - `application/x-ndjson`: a stream of all documents, one per line;
    - `application/ejson` and `application/x-ndejson`: the same page or stream in canonical Extended
      JSON, in which no BSON type is lost;
    - `text/event-stream`: the feed of their changes, which never ends.

    Streams are for programs: this page shows at most 100 documents of one, and no feed.

    The next page starts after the last document of this one: documents that do not change meanwhile
    are shown exactly once, and the last page costs as much as the first one. A stream whose
    connection breaks is incomplete.
    """
    media_type = choose(request, [JSON, NDJSON, EVENT_STREAM, EJSON, NDEJSON])
    if media_type == EVENT_STREAM and request.method != "HEAD":
        return await feed_response(
            request, collection.feed, last_event, filter=selection.filter or None
        )
    is_extended = media_type in (EJSON, NDEJSON)
    dumps = collection.dumps_extended if is_extended else collection.dumps
    line = partial(_line, dumps, collection.layout if meta else None, selection)
    if media_type in (NDJSON, NDEJSON):
        batches = collection.queries.stream(selection, limit)
        return await stream_response(request, batches, line, media_type)
    if limit is not None and limit > MAX_PAGE_SIZE:
        raise InvalidParameter(
            "limit",
            f"A page has at most {MAX_PAGE_SIZE} documents. Ask for {NDJSON} to get more at once.",
        )
    page = await collection.queries.page(selection, limit or PAGE_SIZE)
    total = await collection.queries.count(selection.filter) if count else None
    return await page_response(request, page, line, total, media_type)


@router.head(
    "/stuff",
    summary="Read the headers of a page",
    dependencies=[SingleParameters],
    responses=operations.HEAD_DOCUMENTS,
    openapi_extra=operations.FEED_POSITION,
)
@reads
@negotiated
@raises(NotAcceptable, InvalidParameter, Queries.page)
async def head_documents(
    request: Request,
    selection: SelectionDep,
    collection: CollectionDep,
    limit: Limit = None,
    count: Count = False,
    meta: Meta = False,
) -> Response:
    """Returns the header fields of GET, without the body."""
    response = await get_documents(request, selection, collection, None, limit, count, meta)
    if isinstance(response, DocumentStream):
        await response.close()
    else:
        response.body = b""
    return response


@router.post(
    "/stuff",
    summary="Create a document under a new id, or load many",
    status_code=201,
    responses=operations.CREATE_DOCUMENT,
    openapi_extra=operations.CREATION | operations.NEW_DOCUMENTS_BODY,
)
@writes
@raises(PointOperations.create, Once.respond)
async def create_document(
    request: Request,
    sent: NewDocuments,
    preference: PreferenceDep,
    collection: CollectionDep,
    once: OnceCreating,
) -> Response:
    """Stores a JSON object of any shape under a new id: a UUIDv7, so ids sort by time.

    `application/x-ndjson` loads many documents, one per line, as they arrive, and
    `application/x-ndejson` lines of Extended JSON, whose `_id` may have any type. A line with an
    `_id` creates or replaces that document. A line that cannot be stored is listed in the report
    and affects no other line. If the database becomes unavailable, the problem says how many lines
    are settled and which of them failed; the others can be sent again.
    """
    if isinstance(sent, bytes):
        respond = partial(_created, request, collection)
        if once is not None:
            work = await collection.single.create(sent)
            return await once.respond(work, respond, preference, [collection.name])
        return await respond(await collection.points.create(sent), preference)
    report = Report()
    try:
        await collection.loader.load(sent, report)
    except StuffError as error:
        error.members |= _summary(report, request)
        raise
    return Response(orjson.dumps(_summary(report, request)), media_type=JSON)


@router.delete(
    "/stuff",
    summary="Delete the documents that match",
    dependencies=[OnlyFilter],
    responses=operations.DELETE_DOCUMENTS,
)
@reads
@writes
@raises(Queries.delete)
async def delete_documents(filter: GivenFilter, collection: CollectionDep) -> Response:
    """Deletes every document that matches the filter, which is required: `{}` matches all. No other
    parameter is accepted. Needs both scopes, `read` and `write`, because the number of documents
    tells what is stored.

    This is not a transaction: documents written meanwhile may or may not be deleted, and a deletion
    that runs out of time may have deleted some of the documents.
    """
    deleted = await collection.queries.delete(filter)
    return Response(orjson.dumps({"deleted": deleted}), media_type=JSON)


@router.options(
    "/stuff",
    summary="List the methods",
    status_code=204,
    responses=operations.COLLECTION_OPTIONS,
)
@reads_or_writes
async def options_collection(request: Request) -> Response:
    """Returns the methods of the collection."""
    allow = ", ".join(allowed_methods(request.app, request))
    return Response(status_code=204, headers={"Allow": allow})


async def _created(
    request: Request, collection: Collection, written: Written, preference: Preference | None
) -> Response:
    id = orjson.dumps({"_id": canonical(written.id)})
    return await written_response(request, written, collection.dumps, preference, minimum=id)


def _line(dumps: Dumps, layout: Layout | None, selection: Selection, document: bytes) -> bytes:
    """The document as JSON; with its metadata if it is read with a layout."""
    view = selection.view
    pick = view.pick if view else None
    if layout is None:
        return dumps(document, None, pick)
    stored = layout.read(document) if view is None else layout.read_view(document, view.name)
    return dumps(document, stored.metadata, pick)


def _summary(report: Report, request: Request) -> dict[str, Any]:
    path = raw_path(request)
    return {
        "lines": report.lines,
        "created": report.created,
        "replaced": report.replaced,
        "failed": report.failed,
        "errors": [{"line": line} | problem_body(error, path) for line, error in report.failures],
    }
