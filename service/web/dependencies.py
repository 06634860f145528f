"""What endpoints ask for, each named once as a type."""

from collections.abc import AsyncIterator, Callable
from email.message import Message
from typing import Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Path, Query, Request
from starlette.convertors import Convertor, register_url_convertor

from service.documents.ids import MAX_ID_BYTES, check_id
from service.documents.parsing import parse
from service.documents.patches import JsonPatch, MergePatch, Patch
from service.documents.preconditions import NO_PRECONDITIONS, Preconditions, parse_preconditions
from service.documents.query import (
    Selection,
    View,
    decode_cursor,
    parse_fields,
    parse_filter,
    parse_sort,
)
from service.errors import MalformedPath, UnsupportedMediaType
from service.mongo.database import Database
from service.settings import Settings
from service.store.collection import Collection
from service.store.feed import Position
from service.store.feed.changes import parse_position
from service.web.bodies import header, read_all, read_chunks
from service.web.responses import JSON, NDJSON, Preference

PATCH_FORMATS: dict[str, Callable[[bytes], Patch]] = {
    "application/merge-patch+json": MergePatch,
    "application/json-patch+json": JsonPatch,
}
PATCH_TYPES = ", ".join(PATCH_FORMATS)


class DocumentIdConvertor(Convertor[str]):
    """All the rest of a path, line ends too (which Starlette's own `path` takes for the end)."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("document_id", DocumentIdConvertor())


async def get_database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def get_collection(request: Request) -> Collection:
    collection: Collection = request.app.state.collection
    return collection


async def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


DatabaseDep = Annotated[Database, Depends(get_database)]
CollectionDep = Annotated[Collection, Depends(get_collection)]
SettingsDep = Annotated[Settings, Depends(get_settings)]


async def get_document_id(
    request: Request,
    id: Annotated[
        str,
        Path(
            description="The document's id: 1 to 512 bytes of UTF-8 without control characters. "
            "Slashes are part of it, percent-encoded or not.",
            examples=["ada"],
            json_schema_extra={"minLength": 1, "maxLength": MAX_ID_BYTES},
        ),
    ],
) -> str:
    """The id in the path. Raises `MalformedPath` and `InvalidId`."""
    if "\ufffd" in id:
        # Servers decode paths leniently: what was sent decides.
        try:
            unquote_to_bytes(request.scope["raw_path"]).decode()
        except UnicodeDecodeError:
            raise MalformedPath("Percent-encode the id's UTF-8 bytes.") from None
    return check_id(id)


DocumentId = Annotated[str, Depends(get_document_id)]


async def get_view(
    fields: Annotated[
        str | None,
        Query(
            description="The fields to pick, separated by commas; dots lead into objects. The "
            "entity tag is then that of the view. All fields if it is left out. For example "
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
    description="Which documents: a query of MongoDB as JSON, with Extended JSON for types that "
    'JSON lacks. For example `{"born": {"$lt": 1900}}`.',
)


async def get_filter(filter: Annotated[str | None, FILTER] = None) -> dict[str, Any]:
    return {} if filter is None else parse_filter(filter)


async def get_given_filter(filter: Annotated[str, FILTER]) -> dict[str, Any]:
    return parse_filter(filter)


FilterDep = Annotated[dict[str, Any], Depends(get_filter)]
GivenFilter = Annotated[dict[str, Any], Depends(get_given_filter)]


async def get_selection(
    filter: FilterDep,
    view: ViewDep,
    sort: Annotated[
        str | None,
        Query(
            description="The fields to sort by, separated by commas, each descending behind a `-`. "
            "The last one is `_id`, named or not. For example `-born,name`.",
        ),
    ] = None,
    after: Annotated[
        str | None,
        Query(description="Where to go on: `next` of a page with the same filter and sort."),
    ] = None,
) -> Selection:
    order = parse_sort(sort)
    key = None if after is None else decode_cursor(after, filter, order)
    return Selection(filter, order, key, view)


SelectionDep = Annotated[Selection, Depends(get_selection)]


async def get_last_event(
    request: Request,
    last_event_id: Annotated[
        str | None,
        Query(
            description="Of the feed: the id of the event to go on behind, as the header "
            "`Last-Event-ID` says, for those that cannot set it."
        ),
    ] = None,
) -> Position | None:
    # What a browser sends when it comes back is newer than what its address says.
    id = header(request, b"last-event-id") or last_event_id
    return None if not id else parse_position(id)


LastEvent = Annotated[Position | None, Depends(get_last_event)]


async def get_preconditions(request: Request) -> Preconditions:
    """The preconditions of the request. A field of several lines is one list (RFC 9110, 5.3)."""
    headers: dict[str, str] = {}
    for raw_name, raw_value in request.scope["headers"]:
        if raw_name.startswith(b"if-"):
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    return parse_preconditions(headers) if headers else NO_PRECONDITIONS


PreconditionsDep = Annotated[Preconditions, Depends(get_preconditions)]


async def get_preference(request: Request) -> Preference | None:
    """What is preferred to be answered to a write; the first of several preferences counts, and
    unknown ones do not (RFC 7240, section 2).
    """
    if header(request, b"prefer") is None:
        return None
    for preference in ",".join(request.headers.getlist("prefer")).split(","):
        name, _, value = preference.partition(";")[0].partition("=")
        if name.strip().lower() == "return":
            match value.strip().strip('"').lower():
                case "minimal":
                    return "minimal"
                case "representation":
                    return "representation"
            return None
    return None


PreferenceDep = Annotated[Preference | None, Depends(get_preference)]


async def read_body(request: Request, settings: SettingsDep) -> bytes:
    """The body of the request. Raises what `read_all` raises."""
    return await read_all(request, settings.max_body_bytes, settings.client_timeout)


async def check_json(request: Request) -> None:
    """Raise `UnsupportedMediaType` unless the body is JSON."""
    # Without a type the body is taken for what it must be (RFC 9110, section 8.3).
    _media_type(request, [JSON], JSON, {"Accept": JSON})


async def get_patch_format(request: Request) -> Callable[[bytes], Patch]:
    """What the patch is made of. Raises `UnsupportedMediaType`."""
    headers = {"Accept-Patch": PATCH_TYPES}
    return PATCH_FORMATS[_media_type(request, list(PATCH_FORMATS), "none", headers)]


# Below, what is checked first stands first: the type of a body, then its size, then its content.
Body = Annotated[bytes, Depends(read_body)]
PatchFormat = Annotated[Callable[[bytes], Patch], Depends(get_patch_format)]
IsJSON = Depends(check_json)


async def get_fields(id: DocumentId, _: Annotated[None, IsJSON], body: Body) -> bytes:
    """The fields (BSON) of the document in the body, for the id in the path."""
    return parse(body, id)


async def get_new_documents(
    request: Request, settings: SettingsDep
) -> bytes | AsyncIterator[bytes]:
    """The fields (BSON) of the document in the body, for an id that is still to be made; or many
    documents, as a stream of lines."""
    if _media_type(request, [JSON, NDJSON], JSON, {"Accept": f"{JSON}, {NDJSON}"}) == NDJSON:
        return read_chunks(request, settings.max_stream_bytes, settings.client_timeout)
    return parse(await read_body(request, settings), None)


async def get_patch(form: PatchFormat, body: Body) -> Patch:
    """The patch in the body."""
    return form(body)


Fields = Annotated[bytes, Depends(get_fields)]
NewDocuments = Annotated[bytes | AsyncIterator[bytes], Depends(get_new_documents)]
DocumentPatch = Annotated[Patch, Depends(get_patch)]


def _media_type(
    request: Request, supported: list[str], default: str, headers: dict[str, str]
) -> str:
    """The body's type. Raises `UnsupportedMediaType`, which answers with these headers."""
    sent = header(request, b"content-type")
    sent = default if sent is None else sent
    if sent in supported:
        return sent
    message = Message()
    message["content-type"] = sent
    media_type = message.get_content_type()
    if media_type not in supported:
        raise UnsupportedMediaType(
            f"The body's type is {sent!r}. Send {' or '.join(supported)}.", headers=headers
        )
    charset = message.get_content_charset("utf-8")
    if charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(
            f"The charset {charset!r} is not supported. Send UTF-8.", headers=headers
        )
    return media_type
