"""The OpenAPI document, and the pages that show it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from httpx import AsyncClient
from openapi_spec_validator import validate

from service.application import create_app
from service.errors import (
    FeedGone,
    MethodNotAllowed,
    RouteNotFound,
    SchemaViolation,
    StuffError,
    problem_types,
)
from service.openapi.problems import errors_of
from service.settings import Settings

COMMITTED = Path(__file__).parent.parent / "openapi.json"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return create_app(Settings()).openapi()


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def test_the_committed_document_is_the_applications_own(document: dict[str, Any]) -> None:
    assert json.loads(COMMITTED.read_text()) == document, "run make openapi"


async def test_the_served_document_is_the_committed_one(client: AsyncClient) -> None:
    assert (await client.get("/openapi.json")).json() == json.loads(COMMITTED.read_text())


def test_the_document_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_operations_have_short_stable_names(document: dict[str, Any]) -> None:
    assert {operation["operationId"] for operation in operations(document)} == {
        "get_document",
        "head_document",
        "put_document",
        "patch_document",
        "delete_document",
        "options_document",
        "options_collection",
        "create_document",
        "get_documents",
        "head_documents",
        "delete_documents",
        "commit",
        "get_liveness",
        "get_readiness",
    }


def test_every_operation_is_described_and_its_errors_are_problems(
    document: dict[str, Any],
) -> None:
    for operation in operations(document):
        assert operation["summary"]
        assert operation["description"]
        assert operation["tags"]
        for status, response in operation["responses"].items():
            assert response["description"]
            if status >= "400" and not operation["operationId"].startswith("head_"):
                assert list(response["content"]) == ["application/problem+json"]
                examples = response["content"]["application/problem+json"]["examples"]
                for slug, reference in examples.items():
                    assert problem_types()[slug].status == int(status)
                    assert reference == {"$ref": f"#/components/examples/{slug}"}
                    example = document["components"]["examples"][slug]["value"]
                    assert example["type"] == f"/problems/{slug}"


def test_every_problem_is_declared_by_an_operation() -> None:
    app = create_app(Settings())
    declared = {
        error
        for route in app.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for error in errors_of(route, app.state.declarations)
    }
    assert set(problem_types().values()) - declared == {
        StuffError,  # a bug
        RouteNotFound,  # no operation
        MethodNotAllowed,
        SchemaViolation,  # only of collections with a schema
        FeedGone,  # an event, in a response that has started
    }


async def test_the_examples_work(client: AsyncClient, document: dict[str, Any]) -> None:
    path = document["paths"]["/stuff/{id}"]
    parameter = path["put"]["parameters"][0]
    url = f"/stuff/{parameter['examples']['ada']['value']}"
    body = path["put"]["requestBody"]["content"]["application/json"]["example"]
    created = await client.put(url, json=body)
    assert created.status_code == 201
    headers = path["put"]["responses"]["201"]["headers"]
    assert created.headers["etag"] == headers["ETag"]["example"]
    assert created.headers["location"] == headers["Location"]["example"]
    expected = document["components"]["schemas"]["Document"]["examples"][0]
    assert (await client.get(url)).json() == expected
    for form, content in path["patch"]["requestBody"]["content"].items():
        patched = await client.patch(
            url, content=json.dumps(content["example"]), headers={"content-type": form}
        )
        assert patched.status_code == 200


def test_what_may_have_any_shape_is_a_plain_map(document: dict[str, Any]) -> None:
    """Generators for Rust, Dart, PHP and Ruby drop what is beside declared properties."""
    schemas = document["components"]["schemas"]
    for name in ("Document", "Fields", "MergePatch"):
        assert schemas[name]["type"] == "object"
        assert schemas[name]["additionalProperties"] is True
        assert "properties" not in schemas[name]
    plain = {"$ref": "#/components/schemas/Document"}
    assert schemas["DocumentPage"]["properties"]["items"]["items"] == plain
    for path, method, status in (
        ("/stuff/{id}", "get", "200"),
        ("/stuff/{id}", "put", "2XX"),
        ("/stuff/{id}", "patch", "200"),
        ("/stuff", "post", "201"),
    ):
        response = document["paths"][path][method]["responses"][status]
        assert response["content"]["application/json"]["schema"] == plain


@pytest.mark.parametrize("page", ["/", "/docs", "/redoc"])
async def test_the_pages_load_nothing_from_another_host(client: AsyncClient, page: str) -> None:
    response = await client.get(page)
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    sources = re.findall(r'(?:src|href|spec-url)="([^"]*)"', response.text)
    assert len(sources) >= 3
    for source in sources:
        assert not re.match(r"(\w+:)?//", source)
        asset = await client.get(f"/{source}")
        if source in ("docs", "docs/guide"):
            continue
        assert asset.status_code == 200
        assert asset.headers["content-type"].split(";")[0] in (
            "application/json",
            "image/svg+xml",
            "text/css",
            "text/javascript",
            "application/javascript",
        )
        assert "cdn.redoc.ly" not in asset.text


async def test_the_page_uses_only_scripts_and_styles_of_its_own(
    client: AsyncClient,
) -> None:
    response = await client.get("/")
    policy = response.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "style-src 'self';" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", response.text)
