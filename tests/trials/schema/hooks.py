"""What Schemathesis has to be told."""

from typing import Any

import schemathesis
from schemathesis.specs.openapi.checks import use_after_free


@schemathesis.serializer("application/x-ndjson")
def lines(_: Any, value: Any) -> Any:
    """How lines of JSON are sent."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


@schemathesis.check
def use_after_delete(ctx: Any, response: Any, case: Any) -> bool | None:
    """A deleted document is not there; but OPTIONS tells what can be done where none is, too."""
    if case.operation.method.upper() == "OPTIONS":
        return None
    return use_after_free(ctx, response, case)
