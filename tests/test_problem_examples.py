"""The examples of problems in the OpenAPI document are what the service answers."""

import gzip
import json
from typing import Any

import pytest
from httpx import AsyncClient

from service.application import create_app
from service.settings import Settings
from service.web.problems import Problem

GZIP = {"Content-Encoding": "gzip"}
REQUESTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "malformed-path": ("GET", "/stuff/%ff", {}),
    "malformed-coding": (
        "PUT",
        "/stuff/ada",
        {"content": gzip.compress(b"{}")[:-4], "headers": GZIP},
    ),
    "malformed-json": ("PUT", "/stuff/ada", {"content": b'{"name":'}),
    "invalid-precondition": ("PUT", "/stuff/ada", {"json": {}, "headers": {"If-Match": "abc"}}),
    "document-not-found": ("GET", "/stuff/ada", {}),
    "not-acceptable": ("GET", "/stuff", {"headers": {"Accept": "image/png"}}),
    "unsupported-media-type": (
        "PUT",
        "/stuff/ada",
        {"content": b"x", "headers": {"Content-Type": "text/plain"}},
    ),
    "invalid-document": ("PUT", "/stuff/ada", {"json": {"$price": 3}}),
    "invalid-parameter": ("GET", "/stuff", {"params": {"filter": '{"$where": "1"}'}}),
    "invalid-id": ("GET", "/stuff/%00", {}),
}
"""A request that is answered with the problem."""


@pytest.fixture(scope="module")
def examples() -> dict[str, dict[str, Any]]:
    """By the slug."""
    examples = create_app(Settings()).openapi()["components"]["examples"]
    return {slug: example["value"] for slug, example in examples.items()}


@pytest.mark.parametrize("slug", REQUESTS)
async def test_an_example_is_what_is_answered(
    slug: str, client: AsyncClient, examples: dict[str, dict[str, Any]]
) -> None:
    method, url, request = REQUESTS[slug]
    answered = (await client.request(method, url, **request)).json()
    assert answered.keys() == examples[slug].keys()
    differing = {"request_id", "instance"}
    for name in answered.keys() - differing:
        assert answered[name] == examples[slug][name]


async def test_the_example_of_a_failed_precondition_has_the_tag_of_the_example(
    client: AsyncClient, examples: dict[str, dict[str, Any]]
) -> None:
    document = {"name": "Ada Lovelace", "born": 1815, "fields": ["mathematics", "computing"]}
    await client.put("/stuff/ada", json=document)
    late = await client.put("/stuff/ada", json={}, headers={"If-Match": '"abc"'})
    expected = examples["precondition-failed"] | {"request_id": late.json()["request_id"]}
    assert late.json() == expected


async def test_the_examples_of_patches_are_what_is_answered(
    client: AsyncClient, examples: dict[str, dict[str, Any]]
) -> None:
    await client.put("/stuff/ada", json={"born": 1815})
    patches = {
        "patch-test-failed": [{"op": "test", "path": "/born", "value": 1816}],
        "invalid-patch": [{"op": "add", "path": "/died"}],
    }
    for slug, patch in patches.items():
        headers = {"Content-Type": "application/json-patch+json"}
        refused = await client.patch("/stuff/ada", content=json.dumps(patch), headers=headers)
        assert refused.json() == examples[slug] | {"request_id": refused.json()["request_id"]}


def test_every_member_of_an_example_is_declared(examples: dict[str, dict[str, Any]]) -> None:
    for example in examples.values():
        assert example.keys() <= Problem.model_fields.keys()
