"""`/assets`: the scripts and styles of all pages. Nothing is loaded from another host."""

from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.staticfiles import StaticFiles

from service.security import public

router = APIRouter(include_in_schema=False)

STATIC = Path(__file__).parent.parent / "static"
VENDOR = "fastapi_offline"  # contains Swagger UI and ReDoc
REDOC_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"


@router.api_route("/assets/redoc.standalone.js", methods=["GET", "HEAD"])
@public
async def get_redoc_script() -> Response:
    """ReDoc without the logo that it would load from another host (it hides a broken one)."""
    return Response(_redoc_script(), media_type="text/javascript")


@cache
def _redoc_script() -> bytes:
    script = (files(VENDOR) / "static" / "redoc.standalone.js").read_bytes()
    return script.replace(REDOC_LOGO, b"data:,")


def assets() -> StaticFiles:
    """Our own files, then the vendored ones."""
    return StaticFiles(directory=STATIC, packages=[(VENDOR, "static")])
