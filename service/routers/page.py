"""`/`: the web page, and what it knows of the collections."""

from collections.abc import Iterable
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from service.declarations import Declaration
from service.documents.published import publish
from service.documents.published.outline import main_fields, template_of
from service.security import public
from service.web.dependencies import AssetsDep, OutlinesDep
from service.web.responses import JSON

router = APIRouter(include_in_schema=False)

COLLECTIONS = "/collections.json"
"""No collection has a name like this."""
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@router.api_route("/", methods=["GET", "HEAD"])
@public
async def get_page(request: Request, assets: AssetsDep) -> Response:
    """Returns the page on which people browse, edit and watch documents."""
    return await assets.response(request, "index.html", HEADERS)


@router.api_route(COLLECTIONS, methods=["GET", "HEAD"])
@public
async def get_collections(outlines: OutlinesDep) -> Response:
    """Returns the collections, for the page and for commands: their names, the types of their ids,
    the main fields of documents, and where a new document starts. With keys, those of declared
    collections need one."""
    return Response(outlines, media_type=JSON)


def outlines_of(declarations: Iterable[Declaration]) -> bytes:
    """What the page knows of the collections, as JSON."""
    return orjson.dumps([_outline(each) for each in declarations])


def _outline(declaration: Declaration) -> dict[str, Any]:
    outline: dict[str, Any] = {
        "name": declaration.collection,
        "read_only": declaration.read_only,
        "id": declaration.id,
        "main_fields": [],
        "template": {},
    }
    if (schema := declaration.schema) is not None:
        components = publish(declaration.name, schema.verbatim, schema.documents, {})
        fields = components[f"{declaration.name}Fields"]
        outline["main_fields"] = main_fields(fields, components)
        outline["template"] = template_of(fields, components)
    return outline
