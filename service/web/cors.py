"""CORS: which web pages of other origins may use the service.

https://fetch.spec.whatwg.org/#http-cors-protocol
"""

from typing import Any

from fastapi import Request, Response
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send

from service.errors import BadRequest
from service.web.problems import problem_response


class CrossOriginMiddleware(CORSMiddleware):
    """Starlette's, except that a refused preflight is answered with a problem."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        except _PreflightRefused as refused:
            response = problem_response(Request(scope), refused.problem)
            await response(scope, receive, send)

    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        if response.status_code >= 400:
            raise _PreflightRefused(response)
        return response


class _PreflightRefused(Exception):
    def __init__(self, response: Response) -> None:
        super().__init__()
        # Disallowed CORS origin, method, headers
        refused = bytes(response.body).decode().removeprefix("Disallowed CORS ")
        headers: dict[str, Any] = dict(response.headers)
        del headers["content-length"], headers["content-type"]
        self.problem = BadRequest(
            f"A web page may not send this request: its {refused} is not allowed. The service's "
            "operator can allow origins (STUFF_CORS_ORIGINS).",
            headers=headers,
        )
