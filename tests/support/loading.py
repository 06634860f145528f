"""Loads: requests that store one document per line."""

import json
from typing import Any

from httpx import AsyncClient, Response

from tests.support.requests import NDJSON


async def load(client: AsyncClient, *lines: Any, **headers: str) -> Response:
    """Send the lines: bytes as they are, other values as JSON."""
    encoded = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
    return await client.post("/stuff", content=b"\n".join(encoded), headers=NDJSON | headers)
