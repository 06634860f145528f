"""Traces (OpenTelemetry) of requests and of the batches that serve them.

FastAPI makes the spans of requests, and sends all spans to the address in the OTEL_* variables
(https://opentelemetry.io/docs/specs/otel/protocol/exporter/); `mongo.tracing` makes those of the
driver's commands. Needs the extra `tracing`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span

from service.errors import ConfigurationError, how_to_install
from service.observability.paths import path_of
from service.settings import Settings

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig

UNTRACED = {"/healthz", "/readyz", "/metrics"}
"""Polled all the time, so not traced."""


def telemetry(settings: Settings) -> "TelemetryConfig":
    """The options of tracing for FastAPI. Raises `ConfigurationError`."""
    if settings.tracing:
        check_installed()
    return {
        "tracing": settings.tracing,
        "auto_configure": settings.tracing,
        "operation_spans": False,
        "exclude": lambda scope: path_of(scope) in UNTRACED,
        # The service has metrics and logs of its own.
        "metrics": False,
        "logs": False,
    }


def keep_values_out(settings: Settings) -> None:
    """Keep the values of query parameters out of spans; their names stay.

    Call this after FastAPI has configured the exporter.
    """
    if not settings.tracing:
        return
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    class Names(SpanProcessor):
        def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002
            query = getattr(span, "attributes", {}).get("url.query")
            if query:
                names = [(name, "") for name, _ in parse_qsl(query, keep_blank_values=True)]
                span.set_attribute("url.query", urlencode(names))

    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.add_span_processor(Names())


def check_installed() -> None:
    """Raises `ConfigurationError` if the extra `tracing` is not installed."""
    try:
        from opentelemetry.exporter.otlp.proto.http import trace_exporter  # noqa: F401
        from opentelemetry.instrumentation import pymongo  # noqa: F401
    except ImportError:
        raise ConfigurationError(
            "tracing", f"The exporter is not installed. {how_to_install('tracing')}"
        ) from None


@contextmanager
def batch_span(kind: str, count: int, spans: Sequence[Span]) -> Iterator[None]:
    """A span around one round trip that serves the requests of these spans.

    It belongs to the trace of the first; it and the spans of the others are linked.
    """
    if not spans:
        yield
        return
    first, *others = spans
    with trace.get_tracer("stuff").start_as_current_span(
        f"batch {kind}",
        context=trace.set_span_in_context(first),
        links=[Link(other.get_span_context()) for other in others],
        attributes={"stuff.batch.documents": count},
    ) as span:
        for other in others:
            other.add_link(span.get_span_context())
        yield
