"""Dependencies for the path, the query parameters and the header fields of a request."""

from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Path, Query, Request
from starlette.convertors import Convertor, register_url_convertor

from service.documents.ids import MAX_ID_BYTES, TEXT, Id, with_ids
from service.documents.preconditions import NO_PRECONDITIONS, Preconditions, parse_preconditions
from service.documents.query import (
    Selection,
    View,
    check_steps,
    decode_cursor,
    parse_fields,
    parse_filter,
    parse_sort,
    patterns_of,
)
from service.errors import (
    DatabaseUnavailable,
    DocumentNotFound,
    InvalidId,
    InvalidParameter,
    InvalidPrecondition,
    MalformedPath,
    raises,
)
from service.store.feed import Position, parse_position
from service.web.access import COLLECTION, check_may_read, may_read
from service.web.dependencies.state import CollectionDep, DatabaseDep
from service.web.direct import immediate
from service.web.headers import first_fields, header
from service.web.responses import Preference

CONDITIONS = frozenset(
    {b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since"}
)
NAMING = frozenset({"PUT", "OPTIONS"})
"""Methods for documents that need not exist."""
SHOWN = 100
"""The most characters of an unknown parameter's name that a problem repeats."""


class DocumentIdConvertor(Convertor[str]):
    """The rest of a path, line ends included (Starlette's own `path` stops at them)."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("document_id", DocumentIdConvertor())


@raises(MalformedPath, InvalidId)
@immediate
def get_document_id(
    request: Request,
    collection: CollectionDep,
    id: Annotated[
        str,
        Path(
            description="The document's id: 1 to 512 bytes of UTF-8 without control characters. "
            "Slashes are part of it, percent-encoded or not.",
            openapi_examples={"ada": {"value": "ada"}},  # Swagger UI fills it in
            json_schema_extra={"minLength": 1, "maxLength": MAX_ID_BYTES},
        ),
    ],
) -> Id:
    """The id in the path, of the type that the collection has. Raises `MalformedPath`, and
    `InvalidId`, or `DocumentNotFound` for what no document can have as its id."""
    if "\ufffd" in id:
        # Servers decode paths leniently, so the bytes that were sent are checked.
        try:
            unquote_to_bytes(request.scope["raw_path"]).decode()
        except UnicodeDecodeError:
            raise MalformedPath("Percent-encode the id's UTF-8 bytes.") from None
    try:
        return collection.ids.parse(id)
    except InvalidId as error:
        if collection.ids is TEXT or not id or request.method in NAMING:
            raise
        raise DocumentNotFound(id, error.detail) from None


DocumentId = Annotated[Id, Depends(get_document_id)]


@raises(InvalidParameter)
@immediate
def get_view(
    fields: Annotated[
        str | None,
        Query(
            description="The fields to return, separated by commas; dots lead into objects. The "
            "entity tag is then that of this view. By default, all fields. For example "
            "`name,address.city`.",
        ),
    ] = None,
) -> View | None:
    return None if fields is None else parse_fields(fields)


ViewDep = Annotated[View | None, Depends(get_view)]
Meta = Annotated[
    bool,
    Query(description="Whether to add `_stuff`: the entity tag and the time of the last write."),
]


FILTER = Query(
    description="The documents to select: a MongoDB query as JSON, with Extended JSON for types "
    'that JSON lacks. For example `{"born": {"$lt": 1900}}`.',
)


@raises(InvalidParameter, DatabaseUnavailable)
@immediate
def get_given_filter(
    filter: Annotated[str, FILTER], database: DatabaseDep, collection: CollectionDep
) -> dict[str, Any]:
    query = parse_filter(filter)
    patterns = patterns_of(query)
    if patterns and not database.limits_patterns:
        check_steps(patterns)
    if collection.types is not None:
        query = collection.types.filter(query)
    return query if collection.ids is TEXT else with_ids(query, collection.ids)


@raises(get_given_filter)
async def get_filter(
    database: DatabaseDep,
    collection: CollectionDep,
    filter: Annotated[str | None, FILTER] = None,
) -> dict[str, Any]:
    return {} if filter is None else await get_given_filter(filter, database, collection)


FilterDep = Annotated[dict[str, Any], Depends(get_filter)]
GivenFilter = Annotated[dict[str, Any], Depends(get_given_filter)]


@raises(InvalidParameter)
@immediate
def get_selection(
    request: Request,
    filter: FilterDep,
    view: ViewDep,
    sort: Annotated[
        str | None,
        Query(
            description="The fields to sort by, separated by commas; a leading `-` makes one "
            "descending. `_id` is always added as the last one. For example `-born,name`.",
        ),
    ] = None,
    after: Annotated[
        str | None,
        Query(description="Where the page starts: `next` of a page with the same filter and sort."),
    ] = None,
) -> Selection:
    order = parse_sort(sort)
    key = None if after is None else decode_cursor(after, filter, order, request.scope[COLLECTION])
    return Selection(filter, order, key, view)


SelectionDep = Annotated[Selection, Depends(get_selection)]


@raises(InvalidParameter)
@immediate
def check_parameters_are_single(request: Request) -> None:
    """Raise `InvalidParameter` for a parameter that is given twice, since only one could count.
    Unknown parameters are ignored, since some clients and proxies add their own."""
    names: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name in names:
            raise InvalidParameter(name[:SHOWN], f"{name!r} is given more than once. Send it once.")
        names.add(name)


@raises(check_parameters_are_single)
async def check_only_filter(request: Request) -> None:
    """Raise `InvalidParameter` for a parameter that would not limit what is deleted."""
    for name in request.query_params:
        if name != "filter":
            raise InvalidParameter(
                name[:SHOWN],
                "A DELETE takes no parameter but 'filter', and deletes every document that matches "
                f"it. Leave out {name!r}. Nothing was deleted.",
            )
    await check_parameters_are_single(request)


SingleParameters = Depends(check_parameters_are_single)
OnlyFilter = Depends(check_only_filter)


@raises(InvalidParameter)
@immediate
def get_last_event(
    request: Request,
    last_event_id: Annotated[
        str | None,
        Query(
            description="For the feed: the id of the event after which to resume, for clients that "
            "cannot set the header `Last-Event-ID`."
        ),
    ] = None,
) -> Position | None:
    # The header, which a browser sends when it reconnects, is newer than the parameter in the URL.
    id = header(request, b"last-event-id") or last_event_id
    return None if not id else parse_position(id)


LastEvent = Annotated[Position | None, Depends(get_last_event)]


@raises(InvalidPrecondition, check_may_read)
@immediate
def get_preconditions(request: Request) -> Preconditions:
    """The preconditions of the request. Several lines of a field are one list (RFC 9110, 5.3).
    Raises `Forbidden` if they compare the content, and the client may not read it."""
    if CONDITIONS.isdisjoint(first_fields(request)):
        return NO_PRECONDITIONS
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.scope["headers"]:
        if raw_name in CONDITIONS:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    preconditions = parse_preconditions(headers)
    if preconditions.compare_content():
        check_may_read(request, "A condition other than `*`")
    return preconditions


PreconditionsDep = Annotated[Preconditions, Depends(get_preconditions)]


@immediate
def get_preference(request: Request) -> Preference | None:
    """The preferred response to a write. The first of several preferences counts; unknown ones are
    ignored (RFC 7240, section 2), and so is `representation` for clients that may not read."""
    if header(request, b"prefer") is None:
        return None
    for preference in ",".join(request.headers.getlist("prefer")).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "return":
            match value.strip().strip('"').lower():
                case "minimal":
                    return "minimal"
                case "representation" if may_read(request):
                    return "representation"
            return None
    return None


PreferenceDep = Annotated[Preference | None, Depends(get_preference)]
