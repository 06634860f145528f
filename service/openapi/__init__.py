"""The OpenAPI document, for generating clients and for reading."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from service import __version__
from service.errors import StuffError
from service.openapi.commit import COMMIT_SCHEMA, WRITE
from service.openapi.declared import describe_declared
from service.openapi.problems import errors_of, problem_examples, problems_of
from service.openapi.responses import without_content
from service.openapi.schemas import (
    JSON_PATCH,
    Fields,
    MergePatch,
    PatchOperation,
    UpdateOperators,
)
from service.openapi.unused import drop_unused
from service.security import PUBLIC, decision_of
from service.web.problems import Problem

DESCRIPTION = """\
`PUT` an object at `/stuff/{id}`, `GET` it back, from any language.

Any JSON object is stored without loss and in its own key order. A write is acknowledged when a
majority of the replica set has it in its journal. Every error is a problem (RFC 9457) that says
what to do.
"""
TAGS = [
    {"name": "documents", "description": "Documents: JSON objects of any shape, each under an id."},
    {"name": "commits", "description": "Several writes, all of them or none."},
    {
        "name": "system",
        "description": "The health of the service, for operators.",
    },
]


SECURITY = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key of the server, `stuff_...`, with the scope `read`, `write` or "
        "both. With `write` alone nothing can be read. A server without keys needs none.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token with the scope `read` or `write`, from the issuer that the "
        "server trusts, if it is configured with one.",
    },
}


def operation_id(route: APIRoute) -> str:
    """The name of an operation, which becomes a method of generated clients."""
    return route.name


def build(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title="Stuff",
            version=__version__,
            openapi_version="3.1.0",
            summary="A JSON document store over HTTP, on MongoDB.",
            description=DESCRIPTION,
            routes=app.routes,
            tags=[*TAGS],
            servers=[
                {
                    "url": app.state.settings.root_path or "/",
                    "description": "The server that serves this document.",
                }
            ],
            license_info={"name": "MIT", "identifier": "MIT"},
            contact={"name": "The Stuff developers"},
        )
        schemas = schema["components"]["schemas"]
        for fastapis_own in ("HTTPValidationError", "ValidationError"):
            schemas.pop(fastapis_own, None)  # a 422 is one of our problems
        for model in (Fields, MergePatch, PatchOperation, Problem, UpdateOperators):
            own = model.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= own.pop("$defs", {}) | {model.__name__: own}
        schemas |= {"JsonPatch": JSON_PATCH, "Write": WRITE, "Commit": COMMIT_SCHEMA}
        for each in schemas.values():
            _drop_defaults(each)
            if each.get("properties") == {}:
                del each["properties"]
        schema["components"]["securitySchemes"] = SECURITY
        schema["components"]["examples"] = problem_examples(_complete(app, schema["paths"]))
        describe_declared(schema, app.state.declarations.values())
        drop_unused(schema)
        schema["components"]["schemas"] = dict(sorted(schemas.items()))
        app.openapi_schema = schema
    return app.openapi_schema


def _drop_defaults(schema: dict[str, Any]) -> None:
    """Let members that may be missing have no default: generators take it for what is sent, or for
    a promise that the member is always there."""
    for member in schema.get("properties", {}).values():
        if member.get("default", "") is None:
            del member["default"]


def _complete(app: FastAPI, paths: dict[str, Any]) -> set[type[StuffError]]:
    """Add to each operation whether it needs a key, and the problems with which it can respond.

    Returns these problems.
    """
    errors: set[type[StuffError]] = set()
    for route in app.routes:
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            operation = paths[route.path_format][method.lower()]
            if decision_of(route.endpoint) != PUBLIC:
                # Or nothing, on servers without keys.
                operation["security"] = [{"key": []}, {"token": []}, {}]
            errors.update(errors_of(route, app.state.declarations))
            problems = problems_of(route, app.state.declarations)
            if method == "HEAD":
                problems = without_content(problems)
            operation["responses"] = dict(sorted((operation["responses"] | problems).items()))
    return errors
