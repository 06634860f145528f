"""`/docs` and `/redoc`: the OpenAPI document for people. `/docs/{name}`: guides.

The guides are pages of docs/, which `make docs` writes into `static/guide/`. They are part of the
service, so that they have its version and are there without the internet.
"""

from fastapi import APIRouter, Request, Response

from service.security import public
from service.web.dependencies import AssetsDep

router = APIRouter(include_in_schema=False)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}


@router.api_route("/docs", methods=["GET", "HEAD"])
@public
async def get_swagger_ui(request: Request, assets: AssetsDep) -> Response:
    return await assets.response(request, "swagger.html", HEADERS)


@router.api_route("/redoc", methods=["GET", "HEAD"])
@public
async def get_redoc(request: Request, assets: AssetsDep) -> Response:
    return await assets.response(request, "redoc.html", HEADERS)


@router.api_route("/docs/{name}", methods=["GET", "HEAD"])
@public
async def get_guide(request: Request, name: str, assets: AssetsDep) -> Response:
    return await assets.response(request, f"guide/{name}.html", HEADERS)
