"""Requests that patch the document `a`."""

import json
from typing import Any

from httpx import AsyncClient, Response

MERGE = "application/merge-patch+json"
PATCH = "application/json-patch+json"
OPERATORS = "application/vnd.stuff.update-operators+json"


async def patch(client: AsyncClient, body: Any, form: str = PATCH, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body)
    return await client.patch(
        "/stuff/a", content=content, headers={"content-type": form, **headers}
    )


async def update(
    client: AsyncClient, body: Any, path: str = "/stuff/a", **headers: str
) -> Response:
    """Apply update operators. Underscores in the names of header fields stand for dashes."""
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.patch(
        path, content=json.dumps(body), headers={"content-type": OPERATORS, **fields}
    )
