"""Collections that are large enough to be read as streams."""

import json
from typing import Any

from httpx import AsyncClient
from pymongo.collection import Collection

NDJSON = {"Accept": "application/x-ndjson"}
PLAIN = NDJSON | {"Accept-Encoding": "identity"}
Documents = Collection[dict[str, Any]]


def fill(collection: Documents, count: int, size: int = 10) -> None:
    text = "x" * size
    for start in range(0, count, 1000):
        ids = range(start, min(start + 1000, count))
        collection.insert_many([{"_id": f"{n:06}", "n": n, "text": text} for n in ids])


async def read(client: AsyncClient, **parameters: Any) -> list[dict[str, Any]]:
    response = await client.get("/stuff", params=parameters, headers=NDJSON)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.text == "" or response.text.endswith("\n")
    return [json.loads(line) for line in response.text.splitlines()]
