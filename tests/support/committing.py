"""Commits, and the writes that they are made of."""

from typing import Any

from httpx import AsyncClient, Response

Write = dict[str, Any]


async def commit(client: AsyncClient, *writes: Write) -> Response:
    return await client.post("/commit", json={"writes": list(writes)})


async def committed(client: AsyncClient, *writes: Write) -> list[dict[str, Any]]:
    """The results of a commit, which succeeds."""
    response = await commit(client, *writes)
    assert response.status_code == 200, response.text
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def write(op: str, id: str, content: Any = None, **members: Any) -> Write:
    """A write of this kind with its content, if it has any."""
    names = {
        "put": "document",
        "create": "document",
        "merge": "patch",
        "json_patch": "operations",
        "update": "operators",
    }
    own = {} if content is None else {names[op]: content}
    return {"op": op, "id": id} | own | members


def put(id: str, document: Any, **members: Any) -> Write:
    return write("put", id, document, **members)


def merge(id: str, patch: Any, **members: Any) -> Write:
    return write("merge", id, patch, **members)


async def documents(client: AsyncClient, path: str = "/stuff") -> dict[str, dict[str, Any]]:
    """The fields of all documents, by their ids."""
    page = await client.get(path, params={"limit": "1000"})
    return {item.pop("_id"): item for item in page.json()["items"]}


async def tag_of(client: AsyncClient, id: str, path: str = "/stuff") -> str:
    tag: str = (await client.get(f"{path}/{id}")).headers["etag"]
    return tag
