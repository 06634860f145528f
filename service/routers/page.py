"""`/`: the web page."""

from fastapi import APIRouter, Request, Response

from service.security import public
from service.web.dependencies import AssetsDep

router = APIRouter(include_in_schema=False)

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
