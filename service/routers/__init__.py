"""Endpoints, one file per resource. They know HTTP and nothing else."""

from service.routers import (
    assets,
    collection,
    docs,
    document,
    health,
    metrics,
    page,
    problems,
)

routers = [
    document.router,
    collection.router,
    health.router,
    metrics.router,
    page.router,
    docs.router,
    problems.router,
    assets.router,
]
"""In the order in which requests are matched."""
