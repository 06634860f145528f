"""Collections that are filled with a load and read page by page."""

import json
from typing import Any

from httpx import AsyncClient


async def read_pages(client: AsyncClient, limit: int, **parameters: Any) -> list[dict[str, Any]]:
    """All items of all pages, found by `next`."""
    items: list[dict[str, Any]] = []
    after: dict[str, str] = {}
    for _ in range(1000):
        response = await client.get("/stuff", params=parameters | {"limit": limit} | after)
        assert response.status_code == 200, response.text
        page = response.json()
        assert len(page["items"]) <= limit
        items += page["items"]
        if page["next"] is None:
            return items
        assert page["items"]
        after = {"after": page["next"]}
    raise AssertionError("the pages do not end")


async def fill(client: AsyncClient, *documents: dict[str, Any]) -> None:
    lines = "\n".join(json.dumps(document) for document in documents)
    headers = {"Content-Type": "application/x-ndjson"}
    report = (await client.post("/stuff", content=lines, headers=headers)).json()
    assert report["failed"] == 0, report
