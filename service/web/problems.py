"""Errors as RFC 9457 problems: the one place where they become HTTP."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from service.errors import (
    BadRequest,
    InvalidParameter,
    MethodNotAllowed,
    RouteNotFound,
    StuffError,
)
from service.observability import metrics
from service.observability.request_ids import request_id
from service.web.access import may_read
from service.web.negotiation import is_negotiated
from service.web.routing import METHODS

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "/problems/"


class Fault(BaseModel):
    """One of several faults: of a line of a load, with its problem, or of a place in a document."""

    model_config = ConfigDict(extra="allow")

    detail: str = Field(description="What is wrong, and what to do about it.")
    pointer: str | None = Field(None, description="A JSON Pointer (RFC 6901) to the place.")
    line: int | None = Field(None, description="The number of the line, from 1.")
    type: str | None = Field(None, description="The type of the line's problem.")
    title: str | None = Field(None, description="The type of the line's problem, in words.")
    status: int | None = Field(None, description="The HTTP status of the line's problem.")


class SingleProblem(BaseModel):
    """Why something failed (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(description="The type of problem: a stable URI reference.")
    title: str = Field(description="The type of problem, in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What went wrong this time, and what to do about it.")
    instance: str = Field(description="The path of the request.")
    request_id: str | None = Field(
        None, description="The id of the request, as in the server's log."
    )
    pointer: str | None = Field(
        None, description="A JSON Pointer (RFC 6901) to the place at fault."
    )
    parameter: str | None = Field(None, description="The parameter at fault.")
    etag: str | None = Field(
        None,
        description="Of a failed precondition: the document's entity tag, null if there is none.",
    )
    keys: list[str] | None = Field(
        None, description="Of a value that is already taken: the fields of the unique index."
    )
    limit: int | None = Field(
        None, description="Of what is too large: the most bytes that it can have."
    )


class Problem(SingleProblem):
    """Why a request failed (RFC 9457)."""

    lines: int | None = Field(
        None,
        description="Of a load that ended early: how many lines are settled, empty ones included. "
        "The others can be sent again.",
    )
    created: int | None = Field(None, description="Of these lines: how many created a document.")
    replaced: int | None = Field(None, description="Of these lines: how many replaced one.")
    failed: int | None = Field(None, description="Of these lines: how many could not be stored.")
    errors: list[Fault] | None = Field(None, description="The faults, if there can be several.")
    index: int | None = Field(
        None, description="Of a commit: the index of the write at fault, from 0."
    )


def problem_body(error: StuffError, path: bytes) -> dict[str, Any]:
    """The error as a problem; `instance` is the path as it was sent."""
    return {
        "type": TYPE_PREFIX + error.slug,
        "title": error.title,
        "status": error.status,
        "detail": error.detail,
        "instance": path.decode("ascii", "replace"),
        "request_id": request_id.get(),
        **error.members,
    }


def raw_path(request: Request) -> bytes:
    """The path of the request as it was sent."""
    return request.scope.get("raw_path") or request.url.path.encode()


def problem_response(request: Request, error: StuffError) -> Response:
    """The error as a response."""
    metrics.problems.labels(error.slug).inc()
    body = problem_body(error, raw_path(request))
    if error.private and not may_read(request):
        body = {name: value for name, value in body.items() if name not in error.private}
    content = orjson.dumps(body)
    headers = dict(error.headers)
    if is_negotiated(request):
        headers["Vary"] = "Accept"
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(content))
        content = b""
    return Response(content, error.status, headers, MEDIA_TYPE)


def unexpected_response(request: Request) -> Response:
    """The response to a fault of the service. The traceback is for the log, not for the client."""
    return problem_response(
        request, StuffError("The service failed to answer. Try again, or tell its operator.")
    )


def cut_short_response(request: Request) -> Response:
    """The response to a client that is gone. Nobody reads it, but it must not be logged as a fault
    of the service."""
    return problem_response(request, BadRequest("The body ended early. Send all of it."))


def install(app: FastAPI) -> None:
    """Make the application answer every error with a problem."""

    async def own(request: Request, error: Exception) -> Response:
        assert isinstance(error, StuffError)
        return problem_response(request, error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return problem_response(request, _from_http(app, request, error))

    async def validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return problem_response(request, _from_validation(error.errors()[0]))

    async def gone(request: Request, _: Exception) -> Response:
        return cut_short_response(request)

    async def unexpected(request: Request, _: Exception) -> Response:
        return unexpected_response(request)

    app.add_exception_handler(StuffError, own)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, validation)
    app.add_exception_handler(ClientDisconnect, gone)
    app.add_exception_handler(Exception, unexpected)


def _from_http(app: FastAPI, request: Request, error: HTTPException) -> StuffError:
    match error.status_code:
        case 404:
            return RouteNotFound("Nothing is at this address. See /docs for those that exist.")
        case 405:
            return MethodNotAllowed(request.method, allowed_methods(app, request))
        case _:
            return BadRequest(str(error.detail), headers=error.headers)


def _from_validation(fault: Mapping[str, Any]) -> StuffError:
    name = str(fault["loc"][-1])
    return InvalidParameter(name, f"{name!r} {_advice(fault)}")


def _advice(fault: Mapping[str, Any]) -> str:
    """What to send instead, in the place of Pydantic's own message."""
    limits = fault.get("ctx", {})
    match fault["type"]:
        case "missing":
            return "is required. Send it in the query."
        case "greater_than_equal":
            return f"is too small. Send a whole number, {limits['ge']:,} or more."
        case "less_than_equal":
            return f"is too large. Send a whole number, {limits['le']:,} or less."
        case "bool_parsing":
            return "is neither true nor false. Send one of them."
        case "int_parsing_size":
            return "is too large. Send a smaller number."
        case "int_parsing":
            return "is not a number. Send a whole number, such as 10."
    return f"is not valid. {fault['msg']}."


def allowed_methods(app: FastAPI, request: Request) -> list[str]:
    """The methods of the resource at the request's address (RFC 9110, section 10.2.1)."""
    return [
        method
        for method in METHODS
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in app.state.dispatcher.routes(request.scope)
        )
    ]
