"""The operations of declared collections: those of `/stuff`, with names and types of their own."""

from collections.abc import Collection, Iterable, Iterator
from typing import Any

from service.declarations import Declaration
from service.documents.ids import TEXT, TYPES
from service.documents.published import publish
from service.documents.published.examples import example_of
from service.documents.published.names import operation_names
from service.documents.published.references import References
from service.documents.schemas import Schema
from service.openapi.headers import IF_MODIFIED_SINCE, IF_UNMODIFIED_SINCE, LAST_EVENT_ID
from service.openapi.ids import describe_ids, schema_of
from service.openapi.schemas import EXAMPLE_TAG

JSON = "application/json"
METADATA: dict[str, Any] = {
    "title": "Metadata",
    "description": "What the service knows of a document, with `meta=true`.",
    "type": "object",
    "properties": {
        "etag": {"type": "string", "description": "The entity tag, for `If-Match`, unquoted."},
        "updated_at": {
            "type": "string",
            "format": "date-time",
            "description": "When the document was last written, if that is known.",
        },
    },
}
ONLY_UNTYPED = ("fields", "last_event_id", LAST_EVENT_ID["name"])
"""Parameters that typed operations lack: a view has not all that is required, and no generator
knows what to do with the feed."""
OF_DATES = (IF_MODIFIED_SINCE["name"], IF_UNMODIFIED_SINCE["name"])
"""Parameters that have no effect where the time of the last write is not known."""


def describe(document: dict[str, Any], declaration: Declaration) -> None:
    """Give the operations of a collection their names, their tag, and the types of its schema."""
    base = f"/{declaration.collection}"
    names = operation_names(declaration.name, declaration.collection)
    text = declaration.description or f"The documents of `{declaration.collection}`."
    document["tags"].insert(-1, {"name": declaration.collection, "description": text})
    schema = declaration.schema
    typed = None if schema is None else _components(document, declaration, schema)
    for path, method, operation in _operations(document, declaration):
        operation["operationId"] = names[method, path != base]
        operation["tags"] = [declaration.collection]
        for response in operation["responses"].values():
            for field in ("Location", "Content-Location", "Link"):
                if example := response.get("headers", {}).get(field):
                    example["example"] = example["example"].replace("/stuff", base, 1)
        if typed:
            _type(operation, *typed)


def _operations(
    document: dict[str, Any], declaration: Declaration
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """The path, the method and the description of each operation of the collection."""
    base = f"/{declaration.collection}"
    for path, operations in document["paths"].items():
        if path == base or path.startswith(f"{base}/{{"):
            for method, operation in operations.items():
                yield path, method, operation


def _components(
    document: dict[str, Any], declaration: Declaration, schema: Schema
) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """Adds the schemas; returns the name of a document, an example of its fields, and one of it."""
    schemas = document["components"]["schemas"]
    name, ids = declaration.name, TYPES[declaration.id]
    own = {"_id": schema_of(ids), "_stuff": {"$ref": "#/components/schemas/Metadata"}}
    components = publish(name, schema.verbatim, schema.documents, own)
    example = _example(schema)
    metadata = {"etag": EXAMPLE_TAG.strip('"')}
    if declaration.metadata:
        metadata["updated_at"] = "2026-11-23T12:00:00Z"
    stored = {"_id": ids.examples[0], **example, "_stuff": metadata}
    components[name] |= {"examples": [stored]}
    components[f"{name}Fields"] |= {"examples": [example]}
    components[f"{name}Created"].pop("examples", None)
    components[f"{name}Patch"] |= {
        "description": "A JSON Merge Patch (RFC 7396): the members to set, and, as null, those to "
        "remove.",
        "examples": [example],
    }
    page = schemas["DocumentPage"]
    items = page["properties"]["items"] | {"items": {"$ref": f"#/components/schemas/{name}"}}
    items["description"] = "The documents."
    components[f"{name}Page"] = page | {"properties": page["properties"] | {"items": items}}
    for each, component in components.items():
        schemas[each] = component | {"title": each}
    if "properties" in components[name]:
        schemas["Metadata"] = METADATA
    return name, example, stored


def _example(schema: Schema) -> dict[str, Any]:
    """Fields that the service accepts, if such are found."""
    references = References(schema.verbatim, schema.documents)
    return example_of(
        schema.verbatim, references, lambda made: [at for at, _ in schema.faults(made, 0)]
    )


def _type(
    operation: dict[str, Any], name: str, example: dict[str, Any], stored: dict[str, Any]
) -> None:
    _drop_parameters(operation, ONLY_UNTYPED)
    for each in operation.get("parameters", ()):
        if each["name"] == "meta":
            each["example"] = True
    types = {"Document": name, "DocumentPage": f"{name}Page"}
    examples = {name: stored, f"{name}Page": {"items": [stored], "next": None}}
    for status, response in operation["responses"].items():
        content = response.get("content", {}).get(JSON)
        if content is None:
            continue
        of = content["schema"].get("$ref", "").rpartition("/")[2]
        if operation["operationId"].startswith("create_") and status == "201":
            types["Document"] = f"{name}Created"
        if of in types:
            content = {"schema": {"$ref": f"#/components/schemas/{types[of]}"}}
            if (shown := examples.get(types[of])) is not None:
                content["example"] = shown
        response["content"] = {JSON: content}
    if "requestBody" in operation:
        _type_body(operation, name, example)
    operation["description"] = _typed(operation["description"], name)


def _type_body(operation: dict[str, Any], name: str, example: dict[str, Any]) -> None:
    body = operation["requestBody"] = dict(operation["requestBody"])
    content = body["content"]
    if JSON in content:
        # Generators take one media type; NDJSON and Extended JSON are named in words.
        schema = {"$ref": f"#/components/schemas/{name}Fields"}
        body["content"] = {JSON: {"schema": schema, "example": example}}
        body["description"] = body["description"].replace(": any JSON object", "")
        return
    merge = "application/merge-patch+json"
    patch = {"schema": {"$ref": f"#/components/schemas/{name}Patch"}, "example": example}
    body["content"] = {merge: patch} | {
        form: {"schema": each["schema"]} for form, each in content.items() if form != merge
    }


def _typed(description: str, name: str) -> str:
    return description.replace(
        "Stores a JSON object of any shape", f"Stores a document that matches `{name}Fields`"
    ).replace("this page does not show it", "generated clients do not have it")


def _undate(operation: dict[str, Any]) -> None:
    """Take out what documents without metadata lack: when they were last written."""
    _drop_parameters(operation, OF_DATES)
    for response in operation["responses"].values():
        response.get("headers", {}).pop("Last-Modified", None)


def _drop_parameters(operation: dict[str, Any], names: Collection[str]) -> None:
    kept = [each for each in operation.get("parameters", ()) if each["name"] not in names]
    if kept:
        operation["parameters"] = kept
    else:
        operation.pop("parameters", None)


def describe_declared(document: dict[str, Any], declarations: Iterable[Declaration]) -> None:
    """Describe what the declarations say. Operations of `/stuff` keep their names, unless it has a
    schema of its own."""
    for declaration in declarations:
        if declaration.collection != "stuff" or declaration.schema is not None:
            describe(document, declaration)
        ids = TYPES[declaration.id]
        if not ids.made:
            document["paths"][f"/{declaration.collection}"].pop("post", None)
        for _, _, operation in _operations(document, declaration):
            if ids is not TEXT:
                describe_ids(operation, ids)
            if not declaration.metadata:
                _undate(operation)
