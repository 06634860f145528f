"""The body and the responses of a commit."""

from typing import Any

from pydantic import BaseModel, Field

from service.documents.commits import MAX_WRITES
from service.documents.commits.write import CONTENTS, DEFAULT_COLLECTION
from service.openapi.headers import ENTITY_TAGS, IDEMPOTENCY_KEY, REPLAYED
from service.openapi.responses import ok
from service.openapi.schemas import EXAMPLE_TAG, PATCH_EXAMPLE

PUT_EXAMPLE: dict[str, Any] = {"op": "put", "id": "ada", "document": {"balance": 70}}
EXAMPLE: dict[str, Any] = {
    "writes": [
        PUT_EXAMPLE,
        {"op": "merge", "id": "charles", "patch": {"balance": 30}, "if_match": EXAMPLE_TAG},
        {"op": "delete", "id": "order-1815"},
    ]
}

# Members that may be missing are not nullable, and there is no `oneOf`: many generators understand
# neither.
WRITE: dict[str, Any] = {
    "title": "Write",
    "description": "One write of a commit. Which members it takes depends on `op`.",
    "type": "object",
    "required": ["op"],
    "properties": {
        "op": {
            "type": "string",
            "enum": list(CONTENTS),
            "title": "Op",
            "description": "What to do. `put` and `create` need `document`, `merge` needs `patch`, "
            "`json_patch` needs `operations`, `update` needs `operators`. `create` fails if the "
            "document exists, and makes an id if it gets none. `check` only makes sure that the "
            "document is as its conditions say until the commit has taken effect.",
        },
        "collection": {
            "type": "string",
            "title": "Collection",
            "description": "The collection of the document.",
            "default": DEFAULT_COLLECTION,
        },
        "id": {"type": "string", "title": "Id", "description": "The id of the document."},
        "document": {
            "type": "object",
            "additionalProperties": True,
            "title": "Document",
            "description": "The document to store: any JSON object.",
        },
        "patch": {
            "type": "object",
            "additionalProperties": True,
            "title": "Patch",
            "description": "A JSON Merge Patch (RFC 7396).",
        },
        "operations": {
            "type": "array",
            "items": {"$ref": "#/components/schemas/PatchOperation"},
            "title": "Operations",
            "description": "A JSON Patch (RFC 6902).",
        },
        "operators": {
            "type": "object",
            "additionalProperties": True,
            "title": "Operators",
            "description": "Update operators of MongoDB, as in a PATCH.",
        },
        "if_match": {
            "type": "string",
            "pattern": ENTITY_TAGS,
            "title": "If Match",
            "description": "As the header field If-Match: the write is made only if the document "
            "has one of these entity tags.",
        },
        "if_none_match": {
            "type": "string",
            "pattern": ENTITY_TAGS,
            "title": "If None Match",
            "description": "As the header field If-None-Match: the write is made only if the "
            "document has none of these entity tags, or, with `*`, if there is none.",
        },
    },
    "examples": [PUT_EXAMPLE, {"op": "json_patch", "id": "ada", "operations": [PATCH_EXAMPLE]}],
}
COMMIT_SCHEMA: dict[str, Any] = {
    "title": "Commit",
    "description": "Writes that happen together or not at all.",
    "type": "object",
    "required": ["writes"],
    "properties": {
        "writes": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_WRITES,
            "items": {"$ref": "#/components/schemas/Write"},
            "title": "Writes",
            "description": "The writes, each of another document.",
        }
    },
    "examples": [EXAMPLE],
}


class WriteResult(BaseModel):
    """The result of one write of a commit."""

    status: int = Field(
        description="201 if the document was created, 204 if it was deleted, else 200."
    )
    id: str = Field(description="The id of the document.")
    etag: str | None = Field(
        None,
        description="The entity tag of the document, as for `if_match`. Not of one that was "
        "deleted, nor of one that was patched without the scope `read`.",
    )


class CommitResult(BaseModel):
    """The results of a commit."""

    results: list[WriteResult] = Field(description="One for each write, in their order.")


COMMIT = ok(200, "All writes were made.", model=CommitResult, headers=REPLAYED)
REPETITION = {"parameters": [IDEMPOTENCY_KEY]}
COMMIT_BODY: dict[str, Any] = {
    "requestBody": {
        "description": "The writes.",
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": "#/components/schemas/Commit"},
                "example": EXAMPLE,
            }
        },
    }
}
