"""Metrics, as `service.observability.metrics` declares them."""

from prometheus_client import REGISTRY, Metric

from docs._reference.markdown import code, codes, document, table
from service.observability import metrics

INTRODUCTION = """\
`GET /metrics` has these, in the text format of Prometheus, of all worker processes together. With
keys it needs the scope `read`. `process_*` and `python_*` are those of the client library; with
several workers there is a `process_*` for each of them, under the label `pid`, and the requests of
the last second may be missing.
[Alert rules](../how-to/observe.md) use them."""


def page() -> str:
    rows = [
        [code(_name(metric)), metric.type, codes(_labels(metric)), metric.documentation]
        for metric in sorted(REGISTRY.collect(), key=lambda metric: metric.name)
        if metric.name.startswith("stuff_")
    ]
    head = ["name", "type", "labels", "meaning"]
    return document("Metrics", INTRODUCTION, table(head, rows))


def _name(metric: Metric) -> str:
    """As it is in the text: counters end in `_total`."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def _labels(metric: Metric) -> tuple[str, ...]:
    [collector] = [
        each for each in vars(metrics).values() if getattr(each, "_name", None) == metric.name
    ]
    return tuple(collector._labelnames)
