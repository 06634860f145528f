"""What people use in a browser: the page at `/`, the documentation, what a problem type means.

Every script and style is served from here, and the pages' Content-Security-Policy lets the browser
load nothing from another host.
"""

import inspect
from functools import cache, partial
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, PlainTextResponse, Response
from fastapi.staticfiles import StaticFiles

from service.errors import RouteNotFound, problem_types
from service.security import public
from service.web.problems import TYPE_PREFIX

router = APIRouter(include_in_schema=False)
page = partial(router.api_route, methods=["GET", "HEAD"])

STATIC = Path(__file__).parent.parent / "static"
VENDOR = "fastapi_offline"  # carries the distributions of Swagger UI and ReDoc
REDOC_LOGO = b"https://cdn.redoc.ly/redoc/logo-mini.svg"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; worker-src blob:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}


PAGE_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


@page("/")
@public
async def get_page() -> Response:
    """Documents to browse, to edit and to watch."""
    return FileResponse(STATIC / "index.html", headers=PAGE_HEADERS)


@page("/docs")
@public
async def get_swagger_ui() -> Response:
    return FileResponse(STATIC / "swagger.html", headers=HEADERS)


@page("/redoc")
@public
async def get_redoc() -> Response:
    return FileResponse(STATIC / "redoc.html", headers=HEADERS)


@page("/assets/redoc.standalone.js")
@public
async def get_redoc_script() -> Response:
    """ReDoc without the logo that it would load from its maker's host (it hides one that fails)."""
    return Response(_redoc_script(), media_type="text/javascript")


@cache
def _redoc_script() -> bytes:
    script = (files(VENDOR) / "static" / "redoc.standalone.js").read_bytes()
    return script.replace(REDOC_LOGO, b"data:,")


@page(TYPE_PREFIX + "{slug}")
@public
async def get_problem_type(slug: str) -> Response:
    """What a problem's `type` refers to."""
    problem = problem_types().get(slug)
    if problem is None:
        raise RouteNotFound("There is no problem type of this name.")
    explanation = inspect.cleandoc(problem.__doc__ or "")
    return PlainTextResponse(f"{problem.title} ({problem.status})\n\n{explanation}\n")


def assets() -> StaticFiles:
    """Our own files and, behind them, the vendored ones."""
    return StaticFiles(directory=STATIC, packages=[(VENDOR, "static")])
