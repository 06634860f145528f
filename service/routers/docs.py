"""`/docs` and `/redoc`: the OpenAPI document for people."""

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from service.routers.assets import STATIC
from service.security import public

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
async def get_swagger_ui() -> Response:
    return FileResponse(STATIC / "swagger.html", headers=HEADERS)


@router.api_route("/redoc", methods=["GET", "HEAD"])
@public
async def get_redoc() -> Response:
    return FileResponse(STATIC / "redoc.html", headers=HEADERS)
