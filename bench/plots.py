"""Plots of records, as SVG; the same records make the same file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("svg")

from matplotlib import pyplot

from bench.report import DURABLE, STUFF, Record, of_section

COLOURS = {"GET": "#2a7ab9", "PUT": "#e08a1e"}


def plot_connections(records: Sequence[Record], target: Path) -> None:
    """Rate and CPU time at 64 connections."""
    shown = [
        record
        for record in of_section(records, "connections")
        if record["connections"] == 64 and record["server"] != "bare ASGI"
    ]
    servers = list(dict.fromkeys(record["server"] for record in shown))[::-1]
    figure, axes = _figure(2, 2.8, sharey=True)
    panels = (("rate", "requests a second"), ("service_cpu_us", "service CPU a request, µs"))
    for axis, (key, title) in zip(axes, panels, strict=True):
        for offset, method in ((0.2, "GET"), (-0.2, "PUT")):
            values = [
                next(r[key] for r in shown if (r["server"], r["method"]) == (server, method))
                for server in servers
            ]
            positions = [position + offset for position in range(len(servers))]
            bars = axis.barh(positions, values, 0.38, label=method, color=COLOURS[method])
            axis.bar_label(bars, [f"{value:,.0f}" for value in values], padding=2, fontsize=8)
        axis.set_yticks(range(len(servers)), servers)
        axis.set_title(title, fontsize=10)
        axis.margins(x=0.14)
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(loc="lower right", frameon=False)
    _save(figure, target)


def plot_latency(records: Sequence[Record], target: Path) -> None:
    """Rate, CPU time and documents a round trip at 64 connections, by the latency of the
    database."""
    shown = [r for r in of_section(records, "latency") if r["connections"] == 64]
    latencies = sorted({record["latency_ms"] for record in shown})
    figure, axes = _figure(3, 2.9)
    panels = (
        ("rate", "requests a second"),
        ("service_cpu_us", "service CPU a request, µs"),
        ("documents_a_round_trip", "documents a round trip"),
    )
    for axis, (key, title) in zip(axes, panels, strict=True):
        for server, style in ((STUFF, "-"), (DURABLE, ":")):
            for method, colour in COLOURS.items():
                values = [
                    next(
                        record[key]
                        for record in shown
                        if (record["server"], record["method"]) == (server, method)
                        and record["latency_ms"] == latency
                    )
                    for latency in latencies
                ]
                label = f"{method}, {server}"
                axis.plot(latencies, values, style, label=label, color=colour, marker="o", ms=4)
        axis.set_xscale("log")
        axis.set_xticks(latencies, [f"{latency:g}" for latency in latencies])
        axis.minorticks_off()
        axis.set_xlabel("latency of the database, ms")
        axis.set_ylim(bottom=0)
        axis.set_title(title, fontsize=10)
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1].legend(frameon=False, fontsize=8)
    _save(figure, target)


def _figure(panels: int, height: float, *, sharey: bool = False) -> tuple[Any, Any]:
    mpl.rcParams.update({"svg.hashsalt": "stuff", "svg.fonttype": "none", "font.size": 9})
    figure, axes = pyplot.subplots(
        1, panels, figsize=(9, height), sharey=sharey, layout="constrained"
    )
    return figure, axes


def _save(figure: Any, target: Path) -> None:
    figure.savefig(target, metadata={"Date": None}, facecolor="white")
    pyplot.close(figure)
