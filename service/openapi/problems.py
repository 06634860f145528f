"""The problems that an operation can answer with: what its endpoint, its dependencies and the
layers around them declare with `raises`."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from service.declarations import Declaration
from service.errors import (
    BadRequest,
    Forbidden,
    HeadersTooLarge,
    IdempotencyKeyInUse,
    InvalidParameter,
    NotAcceptable,
    RequestTimeout,
    SchemaViolation,
    StuffError,
    Unauthorized,
    Unavailable,
    UnsupportedMediaType,
    UrlTooLong,
    raised_by,
)
from service.openapi.headers import CHALLENGE, RETRY_AFTER, VARY_ACCEPT, header
from service.openapi.problem_examples import example_of
from service.openapi.responses import Responses
from service.security import PUBLIC, decision_of
from service.web.access import check_access
from service.web.bodies import CODINGS
from service.web.middleware import EXEMPT, RequestMiddleware
from service.web.problems import MEDIA_TYPE, problem_body

OF_THE_CONNECTION = (BadRequest, RequestTimeout, UrlTooLong, HeadersTooLarge)
"""Raised by the server's protocol, before there is a request."""


def errors_of(route: APIRoute, declarations: Mapping[str, Declaration]) -> list[type[StuffError]]:
    """The errors that a request of this route can end with, the endpoint's own first; of those that
    a schema finds, only where the collection has one."""
    errors = [*raised_by(route.endpoint)]
    for dependant in _walk(route.dependant):
        if dependant.call is not None:
            errors += raised_by(dependant.call)
        if dependant.query_params:  # which FastAPI validates
            errors.append(InvalidParameter)
    if route.path not in EXEMPT:
        errors += raised_by(RequestMiddleware)
    if decision_of(route.endpoint) != PUBLIC:
        errors += raised_by(check_access)
    own = declarations.get(route.path.split("/")[1])
    # A route of no collection, such as that of commits, may be about any.
    if not any(each.schema for each in ([own] if own else declarations.values())):
        errors = [error for error in errors if error is not SchemaViolation]
    return list(dict.fromkeys([*errors, *OF_THE_CONNECTION]))


def problems_of(route: APIRoute, declarations: Mapping[str, Declaration]) -> Responses:
    """The responses of the route that are problems, by their status."""
    by_status: dict[int, list[type[StuffError]]] = {}
    for error in errors_of(route, declarations):
        by_status.setdefault(error.status, []).append(error)
    return {str(status): _response(route, errors) for status, errors in by_status.items()}


def problem_examples(errors: Iterable[type[StuffError]]) -> dict[str, Any]:
    """An example of each of these problems, by its slug."""
    request_id = {"request_id": "8d2c1f6f0e5b4a7c9d3e2b1a0f9e8d7c"}
    return {
        error.slug: {
            "summary": error.title,
            "value": problem_body(example_of(error), b"/stuff/ada") | request_id,
        }
        for error in sorted(errors, key=lambda error: error.slug)
    }


def _walk(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for dependency in dependant.dependencies:
        yield from _walk(dependency)


def _response(route: APIRoute, errors: list[type[StuffError]]) -> dict[str, Any]:
    """The response to errors of one status, with an example of each."""
    examples = {error.slug: {"$ref": f"#/components/examples/{error.slug}"} for error in errors}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    response: dict[str, Any] = {"description": _description(errors)}
    if headers := _headers(route, errors):
        response["headers"] = headers
    return response | {"content": {MEDIA_TYPE: content}}


def _description(errors: Iterable[type[StuffError]]) -> str:
    sentences = {error.slug: _first_sentence(error) for error in errors}
    if len(sentences) == 1:
        return next(iter(sentences.values()))
    return "\n".join(f"- `{slug}`: {sentence}" for slug, sentence in sentences.items())


def _first_sentence(error: type[StuffError]) -> str:
    text = " ".join(inspect.cleandoc(error.__doc__ or "").split())
    return text.partition(". ")[0].removesuffix(".") + "."


def _headers(route: APIRoute, errors: Iterable[type[StuffError]]) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    for error in errors:
        if issubclass(error, Unavailable | IdempotencyKeyInUse):
            headers |= RETRY_AFTER
        elif issubclass(error, Unauthorized | Forbidden):
            headers |= CHALLENGE
        elif issubclass(error, NotAcceptable):
            headers |= VARY_ACCEPT
        elif issubclass(error, UnsupportedMediaType):
            headers |= _acceptable(route)
    return headers


def _acceptable(route: APIRoute) -> dict[str, Any]:
    """What a body can be (RFC 9110, section 15.5.16, and RFC 5789, section 2.2)."""
    types = ", ".join((route.openapi_extra or {})["requestBody"]["content"])
    return {
        "Accept-Patch" if route.methods == {"PATCH"} else "Accept": header(
            "The media types to send.", types
        ),
        "Accept-Encoding": header("The content codings to send.", CODINGS),
    }
