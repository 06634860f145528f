"""The body of a request: a document, or many documents."""

from email.message import Message
from typing import Annotated

from fastapi import Depends, Request

from service.documents.ids import Id
from service.documents.parsing import parse, parse_extended
from service.errors import (
    BadRequest,
    InvalidDocument,
    MalformedJSON,
    UnsupportedMediaType,
    raises,
)
from service.store.budget import FREE, Budget
from service.store.loads import LineFormat, Lines
from service.store.slices import Slices
from service.web.bodies import claim_of, read_all, read_chunks
from service.web.dependencies.parameters import DocumentId
from service.web.dependencies.state import BudgetDep, CollectionDep, SettingsDep
from service.web.headers import header
from service.web.responses import EJSON, JSON, NDEJSON, NDJSON

DOCUMENT_FORMATS = [JSON, EJSON]
LINE_FORMATS: dict[str, LineFormat] = {NDJSON: "json", NDEJSON: "extended"}
ACCEPT_DOCUMENT = {"Accept": ", ".join(DOCUMENT_FORMATS)}
ACCEPT_DOCUMENTS = {"Accept": ", ".join([*DOCUMENT_FORMATS, *LINE_FORMATS])}


@raises(read_all)
async def read_body(request: Request, settings: SettingsDep, budget: BudgetDep) -> bytes:
    """The body of the request. Raises what `read_all` raises."""
    return await read_all(request, settings.max_body_bytes, settings.client_timeout, budget)


Body = Annotated[bytes, Depends(read_body)]


@raises(BadRequest, UnsupportedMediaType, read_body, MalformedJSON, InvalidDocument)
async def get_fields(
    request: Request,
    id: DocumentId,
    settings: SettingsDep,
    budget: BudgetDep,
    collection: CollectionDep,
) -> bytes:
    """The fields (BSON) of the document in the body, for the id in the path."""
    if header(request, b"content-range") is not None:  # RFC 9110, section 14.5
        raise BadRequest("A PUT replaces the whole document. Send it without Content-Range.")
    # In this order: the type of a body is checked first, then its size, then its content.
    form = media_type(request, DOCUMENT_FORMATS, JSON, ACCEPT_DOCUMENT)
    body = await read_body(request, settings, budget)
    return await _parsed(form, body, id, request, budget, collection.slices)


@raises(UnsupportedMediaType, read_body, MalformedJSON, InvalidDocument)
async def get_new_documents(
    request: Request, settings: SettingsDep, budget: BudgetDep, collection: CollectionDep
) -> bytes | Lines:
    """The fields (BSON) of the document in the body, which gets a new id; or many documents, as a
    stream of lines."""
    form = media_type(request, [*DOCUMENT_FORMATS, *LINE_FORMATS], JSON, ACCEPT_DOCUMENTS)
    if form in LINE_FORMATS:
        chunks = read_chunks(request, settings.max_stream_bytes, settings.client_timeout)
        return Lines(chunks, LINE_FORMATS[form])
    body = await read_body(request, settings, budget)
    return await _parsed(form, body, None, request, budget, collection.slices)


Fields = Annotated[bytes, Depends(get_fields)]
NewDocuments = Annotated[bytes | Lines, Depends(get_new_documents)]


async def _parsed(
    form: str,
    body: bytes,
    id: Id | None,
    request: Request,
    budget: Budget,
    slices: Slices,
) -> bytes:
    """The fields, which the request holds in addition to its body. Raises what `parse` raises, and
    `Overloaded`."""
    if form == JSON:
        fields = parse(body, id)
    else:
        fields = await slices.run(parse_extended(body, id), len(body))
    if len(body) + len(fields) > FREE:
        claim_of(request, budget).hold(len(body) + len(fields))
    return fields


def media_type(
    request: Request, supported: list[str], default: str, headers: dict[str, str]
) -> str:
    """The body's type. Raises `UnsupportedMediaType`, which answers with these headers."""
    sent = header(request, b"content-type")
    sent = default if sent is None else sent
    if sent in supported:
        return sent
    message = Message()
    message["content-type"] = sent
    found = message.get_content_type()
    if found not in supported:
        raise UnsupportedMediaType(
            f"The body's type is {sent!r}. Send {' or '.join(supported)}.", headers=headers
        )
    charset = message.get_content_charset("utf-8")
    if charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(
            f"The charset {charset!r} is not supported. Send UTF-8.", headers=headers
        )
    return found
