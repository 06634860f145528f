"""Requests for one document skip the routers, and are answered as if they did not."""

from typing import Any

import httpx
import pytest
from httpx import AsyncClient

OBJECT = {"content-type": "application/json"}
LONG = "x" * 513
REQUESTS: list[tuple[str, str, dict[str, str], bytes]] = [
    ("GET", "ada", {}, b""),
    ("GET", "nobody", {}, b""),
    ("GET", "", {}, b""),
    ("GET", LONG, {}, b""),
    ("GET", "ada", {"if-none-match": "*"}, b""),
    ("GET", "ada", {"if-match": '"other"'}, b""),
    ("HEAD", "ada", {}, b""),
    ("HEAD", "nobody", {}, b""),
    ("PUT", "ada", OBJECT, b'{"born":1815}'),
    ("PUT", "ada", OBJECT, b'{"born":'),
    ("PUT", "ada", OBJECT | {"if-none-match": "*"}, b"{}"),
    ("PUT", "ada", {"content-type": "text/plain"}, b"{}"),
    ("PATCH", "ada", {"content-type": "application/merge-patch+json"}, b'{"born":1815}'),
    ("PATCH", "ada", {"content-type": "application/json-patch+json"}, b'[{"op":"test"}]'),
    ("DELETE", "nobody", {}, b""),
    ("OPTIONS", "ada", {}, b""),
    ("POST", "ada", {}, b""),
]
CHANGING = {"date", "last-modified", "x-request-id"}


def essence(response: httpx.Response) -> tuple[int, dict[str, str], Any]:
    headers = {name: text for name, text in response.headers.items() if name not in CHANGING}
    content: Any = response.content
    if headers.get("content-type") == "application/problem+json" and content:
        content = response.json() | {"request_id": None}
    return response.status_code, headers, content


@pytest.mark.parametrize(("method", "id", "headers", "body"), REQUESTS)
async def test_the_shortcut_answers_as_the_routers_do(
    client: AsyncClient, method: str, id: str, headers: dict[str, str], body: bytes
) -> None:
    await client.put("/stuff/ada", json={"born": 1815})
    short, usual = [
        await client.request(method, f"/stuff/{id}{query}", headers=headers, content=body)
        for query in ("", "?utm=1")  # a query that means nothing takes the usual way
    ]
    assert essence(short) == essence(usual)
