"""What endpoints ask for, each named once as a type."""

from email.message import Message
from typing import Annotated
from urllib.parse import unquote_to_bytes

from fastapi import Depends, Path, Request
from starlette.convertors import Convertor, register_url_convertor

from service import documents
from service.database import DatabaseDep
from service.errors import BodyTooLarge, MalformedPath, UnsupportedMediaType
from service.settings import Settings
from service.store import Store

JSON = "application/json"


class DocumentIdConvertor(Convertor[str]):
    """All the rest of a path, line ends too (which Starlette's own `path` takes for the end)."""

    regex = "(?s:.*)"

    def convert(self, value: str) -> str:
        return value

    def to_string(self, value: str) -> str:
        return value


register_url_convertor("document_id", DocumentIdConvertor())


async def get_store(database: DatabaseDep) -> Store:
    return Store(database)


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


async def read_json(request: Request, settings: SettingsDep) -> bytes:
    """The body of a JSON request.

    Raises `UnsupportedMediaType`, and `BodyTooLarge` as soon as the size is known: by its
    declaration, or by the first byte too many. FastAPI's own `max_body_size` is not used because it
    answers in plain text. The server discards the rest, so the connection stays usable.
    """
    _check_media_type(request)
    limit = settings.max_body_bytes
    if int(request.headers.get("content-length", 0)) > limit:
        raise BodyTooLarge(limit)
    chunks = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        chunks.append(chunk)
    return b"".join(chunks)


JSONBody = Annotated[bytes, Depends(read_json)]


async def get_fields(id: DocumentId, body: JSONBody) -> bytes:
    """The fields (BSON) of the document in the body, for the id in the path."""
    return documents.parse(body, id)


async def get_new_fields(body: JSONBody) -> bytes:
    """The fields (BSON) of the document in the body, for an id that is still to be made."""
    return documents.parse(body, None)


Fields = Annotated[bytes, Depends(get_fields)]
NewFields = Annotated[bytes, Depends(get_new_fields)]


def _check_media_type(request: Request) -> None:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        raise UnsupportedMediaType(
            f"The content coding {encoding!r} is not supported. Send the body as it is.",
            headers={"Accept-Encoding": "identity"},
        )
    sent = request.headers.get("content-type")
    if sent is None or sent == JSON:
        return  # without a type the body is taken for what it must be (RFC 9110, section 8.3)
    message = Message()
    message["content-type"] = sent
    if message.get_content_type() != JSON:
        raise UnsupportedMediaType(
            f"The body's type is {sent!r}. Send {JSON}.", headers={"Accept": JSON}
        )
    charset = message.get_content_charset("utf-8")
    if charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(
            f"The charset {charset!r} is not supported. Send UTF-8.", headers={"Accept": JSON}
        )
