"""The OpenAPI document: what clients are generated from and people read."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from service import __version__
from service.openapi.schemas import Fields, MergePatch, PatchOperation
from service.problems import Problem

DESCRIPTION = """\
`PUT` an object at `/stuff/{id}`, `GET` it back, from any language.

Any JSON object is stored without loss and in its own key order. A write is answered when a majority
of the replica set has it in its journal. Every error is a problem (RFC 9457) that says what to do.
"""
TAGS = [
    {"name": "documents", "description": "Documents: JSON objects of any shape, each under an id."},
    {
        "name": "system",
        "description": "The health of the service, for those who operate it.",
    },
]


def operation_id(route: APIRoute) -> str:
    """The name of an operation, which generated clients take for their methods."""
    return route.name


def document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application, made once."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title="Stuff",
            version=__version__,
            openapi_version="3.1.0",
            summary="A JSON document store over HTTP, on MongoDB.",
            description=DESCRIPTION,
            routes=app.routes,
            tags=TAGS,
            servers=[{"url": "/", "description": "The server that this document comes from."}],
            license_info={"name": "MIT", "identifier": "MIT"},
            contact={"name": "The Stuff developers"},
        )
        schemas = schema["components"]["schemas"]
        for model in (Fields, MergePatch, PatchOperation, Problem):
            schemas[model.__name__] = model.model_json_schema()
        schema["components"]["schemas"] = dict(sorted(schemas.items()))
        app.openapi_schema = schema
    return app.openapi_schema
