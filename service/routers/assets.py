"""`/assets`: the scripts and styles of all pages. Nothing is loaded from another host."""

from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request, Response

from service.security import public
from service.web.dependencies import AssetsDep
from service.web.static_files import StaticFiles

router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).parent.parent / "static"
VENDOR = "fastapi_offline"  # contains Swagger UI and ReDoc
REDOC_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"


@router.api_route("/assets/{name:path}", methods=["GET", "HEAD"])
@public
async def get_asset(request: Request, name: str, assets: AssetsDep) -> Response:
    return await assets.response(request, name)


def open_assets() -> StaticFiles:
    """Our own files, then the vendored ones."""
    vendored = Path(str(files(VENDOR))) / "static"
    return StaticFiles([STATIC, vendored], {"redoc.standalone.js": _without_logo})


def _without_logo(script: bytes) -> bytes:
    """ReDoc without the logo that it would load from another host (it hides a broken one)."""
    return script.replace(REDOC_LOGO, b"data:,")
