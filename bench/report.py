"""Records as tables, and as a list of goals."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, TypeAlias

Record: TypeAlias = dict[str, Any]

STUFF, BASELINE, DURABLE, EMPTY = "stuff", "baseline", "baseline, durable", "empty FastAPI route"
BARE = "bare ASGI"
UNKNOWN = "–"  # noqa: RUF001 (a dash, not a hyphen)
EVE, KINTO = "python-eve", "Kinto"
SCHEMA, CHECK = "stuff, schema", "check alone"


@dataclass(frozen=True)
class Goal:
    """A ratio that was measured, and where it should be."""

    name: str
    ratio: float
    at_most: float | None = None
    at_least: float | None = None

    @property
    def is_met(self) -> bool:
        if self.at_most is not None:
            return self.ratio <= self.at_most
        return self.at_least is not None and self.ratio >= self.at_least


def goals(records: Sequence[Record]) -> Iterator[Goal]:
    """The goals that these records can tell of."""

    def find(section: str, server: str, method: str, connections: int) -> Record | None:
        keys = ("section", "server", "method", "connections")
        wanted = (section, server, method, connections)
        found = [record for record in records if tuple(record[key] for key in keys) == wanted]
        return found[-1] if found else None

    def ratio(figure: str, method: str, connections: int, other: str) -> float | None:
        ours = find("connections", STUFF, method, connections)
        theirs = find("connections", other, method, connections)
        return ours[figure] / theirs[figure] if ours and theirs else None

    for method, other, most in (
        ("GET", EMPTY, 1.0),
        ("PUT", EMPTY, 1.35),
        ("GET", BARE, 3.3),
        ("GET", BASELINE, 0.2),
        ("PUT", DURABLE, 0.32),
    ):
        if (value := ratio("service_cpu_us", method, 64, other)) is not None:
            yield Goal(f"service CPU a {method}, 64 connections, ÷ {other}", value, most)
    for method in ("GET", "PUT"):
        if (value := ratio("p50_ms", method, 1, DURABLE)) is not None:
            yield Goal(f"p50 of {method}, one connection, ÷ {DURABLE}", value, 0.95)
    yield from _of_operations(records)
    for method, rate in (("GET", 2.2), ("PUT", 2.5)):
        for other in (BASELINE, DURABLE):
            if (value := ratio("rate", method, 64, other)) is not None:
                name = f"rate of {method}, 64 connections, ÷ {other}"
                yield Goal(name, value, at_least=rate)
            if (value := ratio("p99_ms", method, 64, other)) is not None:
                yield Goal(f"p99 of {method}, 64 connections, ÷ {other}", value, 1.0)
    if sizes := sorted(of_section(records, "collections"), key=lambda record: record["documents"]):
        small, large = sizes[0], sizes[-1]
        name = f"GET among {large['documents']:,} documents ÷ among {small['documents']:,}"
        yield Goal(f"{name}: time (1 / rate)", small["rate"] / large["rate"], 1.1)
        if _know_engine_cpu(small, large):
            value = large["engine_cpu_us"] / small["engine_cpu_us"]
            yield Goal(f"{name}: engine CPU", value, 1.1)
    found = {record["method"]: record for record in of_section(records, "pages")}
    if found:
        first, last = found["page 1"], found["page 10,000"]
        yield Goal("page 10,000 ÷ page 1: time", last["p50_ms"] / first["p50_ms"], 1.1)
        if _know_engine_cpu(first, last):
            value = last["engine_cpu_us"] / first["engine_cpu_us"]
            yield Goal("page 10,000 ÷ page 1: engine CPU", value, 1.1)
    for record in of_section(records, "transfer"):
        command, documents = record["method"], f"{record['documents']:,}"
        above = record["memory_mb"] - record["idle_mb"]
        yield Goal(f"{command} of {documents} documents: MB of memory above idle", above, 60)
        put = find("connections", STUFF, "PUT", 64)
        if command == "import" and put is not None:
            name = f"{command} of {documents} documents: rate ÷ that of PUT, 64 connections"
            yield Goal(name, record["rate"] / put["rate"], at_least=5)
    followed = {record["followers"]: record for record in of_section(records, "feed")}
    if followed:
        yield Goal(
            "rate of PUT with 1,000 idle followers of the feed ÷ with none",
            followed[1000]["rate"] / followed[0]["rate"],
            at_least=0.9,
        )
        name = "ms from a PUT until the last of 100 followers has its event, at the median"
        yield Goal(name, followed[100]["p50_ms"], 100)
    patches = {record["method"]: record for record in of_section(records, "counters")}
    if patches:
        name = "rate of PATCH of one document by 64, $inc ÷ merge patch"
        yield Goal(name, patches["COUNT"]["rate"] / patches["MERGE"]["rate"], at_least=1.8)
    by_server = {record["server"]: record for record in of_section(records, "schemas")}
    if by_server:
        with_schema, without = by_server[SCHEMA], by_server[STUFF]
        yield Goal(
            "service CPU a PUT with a schema ÷ without one",
            with_schema["service_cpu_us"] / without["service_cpu_us"],
            1.15,
        )
        alone = by_server[CHECK]
        name = f"µs for the check of a document of {alone['body_bytes']} B, on an idle core"
        yield Goal(name, alone["service_cpu_us"], 15)
    soak = of_section(records, "soak")
    warm = [record for record in soak if record["elapsed"] > 60]
    if len(warm) > 1:
        third = max(1, len(warm) // 3)
        early = sum(record["memory_mb"] for record in warm[:third]) / third
        late = sum(record["memory_mb"] for record in warm[-third:]) / third
        minutes = (warm[-1]["elapsed"] - warm[0]["elapsed"]) / 60
        name = f"resident memory after {minutes:.0f} minutes of mixed load ÷ after warm-up"
        yield Goal(name, late / early, 1.02)


def _of_operations(records: Sequence[Record]) -> Iterator[Goal]:
    if puts := of_section(records, "conditions"):
        [plain] = [each["service_cpu_us"] for each in puts if not each["if_match"]]
        [conditional] = [each["service_cpu_us"] for each in puts if each["if_match"]]
        yield Goal("service CPU a PUT with If-Match ÷ without", conditional / plain, 1.6)
    for record in of_section(records, "items"):
        name = "µs of service CPU for each document of a page of 100 documents of 250 B"
        yield Goal(name, record["service_cpu_us"] / 100, 6)
    if starts := of_section(records, "start"):
        seconds = median(record["service_cpu_us"] for record in starts) / 1e6
        yield Goal("seconds of CPU from the start to the first answer", seconds, 0.8)
        memory = median(record["memory_mb"] for record in starts)
        yield Goal("MB of resident memory of a worker at rest", memory, 55)
    rates = {
        record["workers"]: record["rate"]
        for record in of_section(records, "workers")
        if record["method"] == "GET"
    }
    if rates:
        yield Goal("rate of GET, 2 workers ÷ 1", rates[2] / rates[1], at_least=1.5)


def goals_table(records: Sequence[Record]) -> str:
    rows = ["| goal | wanted | measured | met |", "|---|---|---|---|"]
    for goal in goals(records):
        wanted = f"≤ {goal.at_most}" if goal.at_most is not None else f"≥ {goal.at_least}"
        met = "yes" if goal.is_met else "no"
        rows.append(f"| {goal.name} | {wanted} | {goal.ratio:.2f} | {met} |")
    return "\n".join(rows)


def summary(records: Sequence[Record]) -> str:
    """The figures at 64 connections in short, as docs/explanation/costs.md shows them."""
    rows = [
        "| at 64 connections | GET/s | CPU a GET, µs | p99, ms | PUT/s | CPU a PUT, µs | p99, ms |",
        "|---|---|---|---|---|---|---|",
    ]
    at_64 = [r for r in of_section(records, "connections") if r["connections"] == 64]
    for server in dict.fromkeys(record["server"] for record in at_64):
        figures = [
            f"{record['rate']:,.0f} | {record['service_cpu_us']:,.0f} | {record['p99_ms']:.1f}"
            for method in ("GET", "PUT")
            for record in at_64
            if (record["server"], record["method"]) == (server, method)
        ]
        rows.append(f"| {server} | {' | '.join(figures)} |")
    return "\n".join(rows)


def table(records: Sequence[Record]) -> str:
    """The records of one section."""
    rows = [
        "| server | method | connections | document, B | documents | workers | requests/s "
        "| p50, ms | p99, ms | service CPU, µs | engine CPU, µs | memory, MB | errors |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {record['server']} | {record['method']} | {record['connections']} "
        f"| {record['body_bytes']:,} | {record['documents']:,} | {record.get('workers', 1)} "
        f"| {record['rate']:,.0f} | {record['p50_ms']:.2f} | {record['p99_ms']:.1f} "
        f"| {_whole(record['service_cpu_us'])} | {_whole(record['engine_cpu_us'])} "
        f"| {record['memory_mb']:,.0f} | {record['errors']} |"
        for record in records
    ]
    return "\n".join(rows)


def tables(records: Sequence[Record]) -> str:
    sections = dict.fromkeys(record["section"] for record in records)
    parts = [f"## {name}\n\n{table(of_section(records, name))}" for name in sections]
    return "\n\n".join([summary(records), *parts, f"## goals\n\n{goals_table(records)}"])


def peers_table(records: Sequence[Record]) -> str:
    """The section `peers`, as the page of the benchmark shows it."""
    figures = "{0}/s | CPU a {0}, µs | p99, ms"
    rows = [
        "| at 64 connections | documents are in | a PUT is acknowledged from "
        f"| {figures.format('GET')} | {figures.format('PUT')} |",
        "|---" * 9 + "|",
    ]
    found = of_section(records, "peers")
    for server in dict.fromkeys(record["server"] for record in found):
        both = [record for record in found if record["server"] == server]
        shown = " | ".join(
            f"{record['rate']:,.0f} | {record['service_cpu_us']:,.0f} | {record['p99_ms']:.1f}"
            for record in both
        )
        name = f"{server} {both[0]['version']}".strip()
        rows.append(f"| {name} | {both[0]['stored_in']} | {both[0]['acknowledged']} | {shown} |")
    return "\n".join(rows)


def latency_table(records: Sequence[Record]) -> str:
    """The section `latency`, as the page of the benchmark shows it."""
    figures = "requests/s | p50, ms | p99, ms | service CPU, µs"
    rows = [
        f"| latency, ms | connections | | documents a round trip | {figures} "
        f"| original: {figures} | CPU ÷ |",
        "|---" * 13 + "|",
    ]
    found: dict[tuple[float, int, str], dict[str, Record]] = {}
    for record in of_section(records, "latency"):
        load = record["latency_ms"], record["connections"], record["method"]
        found.setdefault(load, {})[record["server"]] = record
    for (latency, connections, method), both in found.items():
        ours, theirs = both[STUFF], both[DURABLE]
        shown = " | ".join(
            f"{record['rate']:,.0f} | {record['p50_ms']:.2f} | {record['p99_ms']:.1f} "
            f"| {record['service_cpu_us']:,.0f}"
            for record in (ours, theirs)
        )
        rows.append(
            f"| {latency:g} | {connections} | {method} | {ours['documents_a_round_trip']:.1f} "
            f"| {shown} | {ours['service_cpu_us'] / theirs['service_cpu_us']:.2f} |"
        )
    return "\n".join(rows)


def _know_engine_cpu(*records: Record) -> bool:
    return all(record["engine_cpu_us"] is not None for record in records)


def _whole(figure: float | None) -> str:
    return UNKNOWN if figure is None else f"{figure:,.0f}"


def of_section(records: Sequence[Record], name: str) -> list[Record]:
    return [record for record in records if record["section"] == name]
