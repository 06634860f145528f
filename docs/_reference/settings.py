"""Settings, as `Settings` declares them."""

import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from docs._reference.markdown import code, codes, document, table
from service.cli.serving import serve
from service.settings import Settings

MIB = 1024 * 1024
INTRODUCTION = """\
Every setting is an environment variable. A file of the same name in lower case in `/run/secrets`
is read too, as Docker and Kubernetes mount secrets: `/run/secrets/stuff_mongodb_uri`. The options
of `stuff serve` override both. A value that the service cannot work with is refused at the start,
in one line; names that begin with `STUFF_` and are no settings are warned of."""

CLIENT = """\
## The command line as a client

Commands that talk to a server read two more variables: `STUFF_URL` is its address
(`http://127.0.0.1:8000` by default), `STUFF_KEY` the API key to send."""


def page() -> str:
    options = serve.__annotations__
    rows = [
        [
            code(f"STUFF_{name.upper()}"),
            code(f"--{name.replace('_', '-')}") if name in options else "",
            _type(field),
            _default(field),
            field.description or "",
        ]
        for name, field in Settings.model_fields.items()
    ]
    head = ["variable", "option of `serve`", "value", "default", "meaning"]
    return document("Settings", INTRODUCTION, table(head, rows), CLIENT)


def _type(field: FieldInfo) -> str:
    annotation = field.annotation
    found = _choices(annotation)
    if found:
        return codes(found)
    kinds = {_name(kind) for kind in (get_args(annotation) or [annotation])} - {""}
    bounds = [
        f"{word} {limit:,}"
        for metadata in field.metadata
        for word, limit in (
            ("at least", getattr(metadata, "ge", None)),
            ("at most", getattr(metadata, "le", None)),
        )
        if limit is not None
    ]
    return ", ".join([*sorted(kinds), *bounds])


def _choices(annotation: Any) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) is Literal else ()


def _name(kind: Any) -> str:
    kind = getattr(kind, "__origin__", kind)
    names = {
        bool: "true or false", int: "whole number", float: "number", str: "text",
        Path: "path", SecretStr: "text",
    }  # fmt: skip
    return names.get(kind, "")


def _default(field: FieldInfo) -> str:
    value = field.default
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return code(str(value).lower())
    said = code(re.sub(r"\.0$", "", str(value)))
    if isinstance(value, int) and value and value % MIB == 0:
        return f"{said} ({value // MIB:,} MiB)"
    return said
