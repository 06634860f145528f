"""Writes that are given up, and sent again until they are acknowledged."""

import asyncio
from typing import Any

from httpx import AsyncClient, Response

from tests.support.patience import TIMEOUT, lasting
from tests.support.problems import assert_problem
from tests.support.requests import JSON, MERGE, NDJSON, OPERATORS, Sent

LIMIT = lasting(1.0)  # seconds: STUFF_OPERATION_TIMEOUT
ALL = {"filter": '{"n": {"$gte": 0}}'}
WRITES: dict[str, Sent] = {
    "put": ("PUT", "/stuff/put", JSON, '{"n": 1}'),
    "put-if": ("PUT", "/stuff/put-if", JSON | {"If-Match": "*"}, '{"n": 1}'),
    "patch": ("PATCH", "/stuff/patch", MERGE, '{"n": 1}'),
    "update": ("PATCH", "/stuff/update", OPERATORS, '{"$set": {"n": 1}}'),
    "update-if": ("PATCH", "/stuff/update-if", OPERATORS | {"If-Match": "*"}, '{"$inc": {"n": 1}}'),
    "delete": ("DELETE", "/stuff/delete", {}, None),
    "delete-if": ("DELETE", "/stuff/delete-if", {"If-Match": "*"}, None),
    "load": ("POST", "/stuff", NDJSON, '{"_id": "load", "n": 1}'),
}


async def send(client: AsyncClient, name: str) -> Response:
    method, path, headers, content = WRITES[name]
    return await client.request(method, path, headers=headers, content=content)


async def until_acknowledged(client: AsyncClient, *request: Any, **rest: Any) -> Response:
    """The answer to a request that is sent again while the answer is 503."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            response = await client.request(*request, **rest)
            # 412: it was carried out after its client had been answered 503.
            if response.is_success or response.status_code == 412:
                return response
            assert_problem(response, 503, "database-unavailable")
            await asyncio.sleep(0.02)


async def put_until_acknowledged(client: AsyncClient, id: str) -> None:
    await until_acknowledged(client, "PUT", f"/stuff/{id}", json={"n": 2})


async def delete_all(client: AsyncClient) -> Response:
    return await client.delete("/stuff", params=ALL)
