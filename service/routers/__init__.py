"""HTTP and nothing else: one file per resource."""

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
"""In the order in which a request is compared with them."""
