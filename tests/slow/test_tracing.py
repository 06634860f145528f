"""Traces: what reaches a collector over OTLP."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.support.http_servers import QuietHandler, http_server
from tests.support.serving import Service, stuff_serve


class Collector:
    """Takes spans as OTLP over HTTP."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bodies: list[bytes] = []

    @property
    def spans(self) -> list[Span]:
        exports = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [
            span
            for export in exports
            for resource in export.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


@pytest.fixture
def collector() -> Iterator[Collector]:
    class Handler(QuietHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            known.bodies.append(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

    with http_server(Handler) as port:
        known = Collector(f"http://127.0.0.1:{port}")
        yield known


def attributes(span: Span) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def use(service: Service) -> None:
    assert service.http.put("/stuff/a", json={"secret": 1}).status_code == 201
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    service.http.get("/stuff/a", headers={"traceparent": parent})
    service.http.get("/stuff", params={"filter": '{"secret": 1}', "limit": 5})
    service.http.get("/stuff", params={"filter": '{"secret": {"$regex": "["}}'})
    service.http.get("/readyz")
    with ThreadPoolExecutor(20) as pool:
        list(pool.map(lambda n: service.http.get(f"/stuff/{n}"), range(200)))


def test_requests_batches_and_commands_are_traced_without_what_documents_say(
    tmp_path: Path, collector: Collector
) -> None:
    environment: dict[str, Any] = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
    with stuff_serve(tmp_path, STUFF_TRACING="true", **environment) as service:
        use(service)
        assert service.stop() == 0
    spans = collector.spans
    by_id = {span.span_id: span for span in spans}

    def parent(span: Span) -> Span:
        return by_id[span.parent_span_id]

    [put] = [span for span in spans if span.name == "PUT /stuff/{id}"]
    assert attributes(put)["http.response.status_code"] == 201
    [batch] = [span for span in spans if span.name == "batch upsert"]
    [update] = [span for span in spans if span.name == "demo.update"]
    assert (parent(update), parent(batch)) == (batch, put)

    [continued] = [
        span
        for span in spans
        if span.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c" and span.name.startswith("GET")
    ]
    assert continued.parent_span_id.hex() == "b7ad6b7169203331"

    pages = [span for span in spans if span.name == "GET /stuff"]
    assert {attributes(page)["url.query"] for page in pages} == {"filter=&limit=", "filter="}
    assert not [span for span in spans if "readyz" in span.name]
    assert not [span for span in spans if span.name.startswith("demo.") and not span.parent_span_id]
    assert not any(b"secret" in body for body in collector.bodies)

    reads = [span for span in spans if span.name == "batch read"]
    assert sum(attributes(read)["stuff.batch.documents"] for read in reads) == 201
    shared = [read for read in reads if read.links]
    assert shared
    for read in shared:
        assert len(read.links) == attributes(read)["stuff.batch.documents"] - 1
        for link in read.links:
            assert [back.span_id for back in by_id[link.span_id].links] == [read.span_id]


def test_nothing_is_traced_unless_it_is_asked_for(tmp_path: Path, collector: Collector) -> None:
    with stuff_serve(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url) as service:
        use(service)
        assert service.stop() == 0
    assert collector.bodies == []
