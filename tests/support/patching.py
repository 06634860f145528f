"""Requests that patch the document `a`."""

import json
from typing import Any

from httpx import AsyncClient, Response

MERGE = "application/merge-patch+json"
PATCH = "application/json-patch+json"


async def patch(client: AsyncClient, body: Any, form: str = PATCH, **headers: str) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body)
    return await client.patch(
        "/stuff/a", content=content, headers={"content-type": form, **headers}
    )
