"""What endpoints ask for, each named once as a type."""

from collections.abc import Callable
from email.message import Message
from typing import Annotated
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Path, Query, Request
from starlette.convertors import Convertor, register_url_convertor
from starlette.requests import ClientDisconnect

from service import documents
from service.errors import BodyTooLarge, MalformedPath, UnsupportedMediaType
from service.patching import JsonPatch, MergePatch, Patch
from service.preconditions import NO_PRECONDITIONS, Preconditions, parse_preconditions
from service.query import View, parse_fields
from service.routers.responses import JSON, Preference
from service.settings import Settings
from service.store import Store

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


def _header(request: Request, name: bytes) -> str | None:
    """The first field of this name. On hot paths quicker than `request.headers`."""
    for key, value in request.scope["headers"]:
        if key == name:
            return str(value, "latin-1")
    return None


async def get_store(request: Request) -> Store:
    store: Store = request.app.state.store
    return store


async def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


StoreDep = Annotated[Store, Depends(get_store)]
SettingsDep = Annotated[Settings, Depends(get_settings)]


async def get_document_id(
    request: Request,
    id: Annotated[
        str,
        Path(
            description="The document's id: 1 to 512 bytes of UTF-8 without control characters. "
            "Slashes are part of it, percent-encoded or not.",
            examples=["ada"],
            json_schema_extra={"minLength": 1, "maxLength": documents.MAX_ID_BYTES},
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
    return documents.check_id(id)


DocumentId = Annotated[str, Depends(get_document_id)]


async def get_view(
    fields: Annotated[
        str | None,
        Query(
            description="The fields to pick, separated by commas; dots lead into objects. The "
            "entity tag is then that of the view. All fields if it is left out.",
            examples=["name,address.city"],
        ),
    ] = None,
) -> View | None:
    return None if fields is None else parse_fields(fields)


ViewDep = Annotated[View | None, Depends(get_view)]
Meta = Annotated[
    bool,
    Query(description="Whether to add `_stuff`: the entity tag and the time of the last write."),
]


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
    if _header(request, b"prefer") is None:
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
    """The body of the request.

    Raises `BodyTooLarge` as soon as the size is known: by its declaration, or by the first byte too
    many. FastAPI's own `max_body_size` is not used because it answers in plain text. The server
    discards the rest, so the connection stays usable.
    """
    limit = settings.max_body_bytes
    if int(_header(request, b"content-length") or 0) > limit:
        raise BodyTooLarge(limit)
    chunks = []
    size = 0
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        chunks.append(chunk)
        more = message.get("more_body", False)
    return b"".join(chunks)


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
    return documents.parse(body, id)


async def get_new_fields(_: Annotated[None, IsJSON], body: Body) -> bytes:
    """The fields (BSON) of the document in the body, for an id that is still to be made."""
    return documents.parse(body, None)


async def get_patch(form: PatchFormat, body: Body) -> Patch:
    """The patch in the body."""
    return form(body)


Fields = Annotated[bytes, Depends(get_fields)]
NewFields = Annotated[bytes, Depends(get_new_fields)]
DocumentPatch = Annotated[Patch, Depends(get_patch)]


def _media_type(
    request: Request, supported: list[str], default: str, headers: dict[str, str]
) -> str:
    """The body's type. Raises `UnsupportedMediaType`, which answers with these headers."""
    encoding = _header(request, b"content-encoding") or "identity"
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(
            f"The content coding {encoding!r} is not supported. Send the body as it is.",
            headers={"Accept-Encoding": "identity"},
        )
    sent = _header(request, b"content-type")
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
