"""Endpoints, one file per resource. They know HTTP and nothing else."""

from collections.abc import Iterator, Mapping

from fastapi import APIRouter
from fastapi.routing import APIRoute

from service.declarations import Declaration
from service.routers import (
    assets,
    collection,
    commit,
    docs,
    document,
    health,
    metrics,
    page,
    problems,
)
from service.security import WRITE, decision_of
from service.web.access import guarded
from service.web.routing import served_at

OF_COLLECTIONS = [document.router, collection.router]
"""Declared for `/stuff`, and served for every collection."""
OTHERS = [
    commit.router,
    health.router,
    metrics.router,
    page.router,
    docs.router,
    problems.router,
    assets.router,
]


def collection_routes(declarations: Mapping[str, Declaration]) -> dict[str, list[APIRoute]]:
    """The routes of each collection, by its name, in the order in which requests are matched."""
    return {name: list(_routes_of(each)) for name, each in declarations.items()}


def other_routes() -> list[APIRoute]:
    """All other routes."""
    return [guarded(route) for router in OTHERS for route in _of(router)]


def _routes_of(declaration: Declaration) -> Iterator[APIRoute]:
    for router in OF_COLLECTIONS:
        for route in _of(router):
            decision = decision_of(route.endpoint)
            if declaration.read_only and decision is not None and decision.needs(WRITE):
                continue
            path = f"/{declaration.collection}{route.path.removeprefix('/stuff')}"
            own = guarded(served_at(route, path), declaration.collection)
            if declaration.collection != "stuff":  # whose operations have the plain names
                own.unique_id = f"{route.unique_id}_{declaration.collection}"
            yield own


def _of(router: APIRouter) -> Iterator[APIRoute]:
    for route in router.routes:
        assert isinstance(route, APIRoute)
        yield route
