"""The operations over HTTP, as `openapi.json` has them."""

import json
from pathlib import Path
from typing import Any

from docs._reference.markdown import code, codes, document, fenced, plain, table

OPENAPI = Path(__file__).parent.parent.parent / "openapi.json"
INTRODUCTION = """\
A running service shows the same at `/docs`, where you can try it, and as a document for generators
at `/openapi.json`. All responses have `X-Request-ID`: the id that the request sent, or a new one.
An operation that fails is answered with a [problem](problems.md)."""


def page() -> str:
    openapi = json.loads(OPENAPI.read_text())
    operations = [
        (method.upper(), path, operation)
        for path, item in openapi["paths"].items()
        for method, operation in item.items()
    ]
    overview = [
        [code(f"{method} {path}"), f"[{operation['summary']}](#{operation['operationId']})"]
        for method, path, operation in operations
    ]
    return document(
        "HTTP",
        INTRODUCTION,
        table(["request", "what it does"], overview),
        *(_section(*operation) for operation in operations),
    )


def _section(method: str, path: str, operation: dict[str, Any]) -> str:
    blocks = [
        f"## {operation['summary']} {{ #{operation['operationId']} }}",
        f"{code(f'{method} {path}')}, {code(operation['operationId'])} in generated clients",
        operation["description"].strip(),
    ]
    parameters = operation.get("parameters", [])
    if parameters:
        rows = [
            [code(each["name"]), each["in"], plain(each.get("description", ""))]
            for each in parameters
        ]
        blocks += [table(["parameter", "in", "meaning"], rows)]
    if body := operation.get("requestBody"):
        blocks.append(f"The body: {plain(body['description'])}")
        for media_type, content in body["content"].items():
            blocks += [f"{code(media_type)}:", fenced(_example(content), "json")]
    blocks.append(table(["status", "meaning", "header fields"], _responses(operation)))
    return "\n\n".join(blocks)


def _responses(operation: dict[str, Any]) -> list[list[str]]:
    rows = []
    for status, response in operation["responses"].items():
        problems = response.get("content", {}).get("application/problem+json", {})
        said = ", ".join(
            f"[{code(slug)}](problems.md#{slug})" for slug in problems.get("examples", ())
        )
        rows.append([status, said or response["description"], codes(response.get("headers", ()))])
    return rows


def _example(content: dict[str, Any]) -> str:
    example = content.get("example", "")
    return example if isinstance(example, str) else json.dumps(example, indent=2)
