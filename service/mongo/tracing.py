"""Spans of the driver's commands; `observability.tracing` makes the others."""

from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.trace import Span, Status, StatusCode

from service.observability.tracing import check_installed
from service.settings import Settings

if TYPE_CHECKING:
    from pymongo.monitoring import CommandListener


def listeners(settings: Settings) -> "list[CommandListener]":
    """Listeners that make spans of the driver's commands, if a request caused them.

    Raises `ConfigurationError` if the extra `tracing` is not installed.
    """
    if not settings.tracing:
        return []
    check_installed()
    from opentelemetry.instrumentation.pymongo import CommandTracer

    class Commands(CommandTracer):
        def started(self, event: Any) -> None:
            # The feed's own commands belong to no request.
            if trace.get_current_span().get_span_context().is_valid:
                super().started(event)

    def say_code_only(span: Span, event: Any) -> None:
        # The database's messages quote documents.
        code = event.failure.get("codeName", event.failure.get("code", "unknown"))
        span.set_status(Status(StatusCode.ERROR, str(code)))

    return [Commands(trace.get_tracer("stuff"), failed_hook=say_code_only)]
