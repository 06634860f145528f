"""Metrics: what is counted is what happened, over all workers."""

import asyncio
import json
import os
import platform
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from bson.raw_bson import RawBSONDocument
from httpx import AsyncClient
from prometheus_client.parser import text_string_to_metric_families
from pymongo import MongoClient

from service import __version__
from service.mongo.readiness import Readiness
from service.mongo.reporting import report
from service.observability import metrics
from service.observability.metrics import SECONDS
from service.observability.tally import Tally
from tests.support.applications import Application
from tests.support.database.answers import Gate, forward
from tests.support.database.playing import Play
from tests.support.database.roles import PRIMARY
from tests.support.link import linked
from tests.support.metrics import parsed, value
from tests.support.patience import TIMEOUT, patient

ROOT = Path(__file__).parent.parent
ALERTS = ROOT / "deploy" / "alerts.yaml"


async def figures(client: AsyncClient) -> dict[Any, float]:
    response = await client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain; version=")
    return parsed(response.text)


def test_the_gauges_of_a_killed_worker_end_with_it(tmp_path: Path) -> None:
    def run(code: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", f"from service.observability import metrics; {code}"],
            env=os.environ | {metrics.DIRECTORY: str(tmp_path)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
        )

    killed = run(
        "import os; metrics.in_flight.inc(); metrics.refused.inc(); os.kill(os.getpid(), 9)"
    )
    assert killed.returncode == -signal.SIGKILL
    assert list(tmp_path.glob("gauge_livesum_*.db"))
    shown = parsed(run("metrics.in_flight.inc(5); print(metrics.exposition().decode())").stdout)
    assert value(shown, "stuff_requests_in_flight") == 5
    assert value(shown, "stuff_requests_refused_total") == 1


async def test_requests_are_counted_and_timed_by_route_and_status(client: AsyncClient) -> None:
    before = await figures(client)
    for id in ("a", "b", "c/d"):
        await client.put(f"/stuff/{id}", json={})
    await client.get("/stuff/none")
    await client.request("BREW", "/coffee")
    after = await figures(client)

    def more(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    route = "/stuff/{id}"
    assert more("stuff_requests_total", method="PUT", route=route, status="201") == 3
    assert more("stuff_requests_total", method="GET", route=route, status="404") == 1
    assert more("stuff_requests_total", method="none", route="none", status="404") == 1
    assert more("stuff_request_duration_seconds_count", method="PUT", route=route) == 3
    assert more("stuff_batch_documents_sum", kind="upsert") == 3
    assert more("stuff_batch_documents_sum", kind="read") == 1
    assert more("stuff_round_trip_duration_seconds_count", kind="read") == 1
    assert value(after, "stuff_requests_in_flight") >= 1
    assert not any("coffee" in str(key) or "c/d" in str(key) for key in after)


def test_requests_are_timed_as_by_a_histogram_of_prometheus() -> None:
    tally = Tally()
    times = [0.0, *SECONDS, *(bound * 1.01 for bound in SECONDS), 1000.0]
    for status in (200, 404):
        for seconds in times:
            tally.count("GET", "tallied", status, seconds)
            metrics.request_seconds.labels("GET", "observed").observe(seconds)
    found = parsed(metrics.exposition().decode())
    labels = {"method": "GET", "route": "tallied", "status": "404"}
    assert value(found, "stuff_requests_total", **labels) == len(times)

    def series(route: str) -> dict[Any, Any]:
        return {
            (name, dict(labels).get("le")): pytest.approx(figure)
            for (name, labels), figure in found.items()
            if ("route", route) in labels and name.startswith("stuff_request_duration")
            if not name.endswith("_created")
        }

    assert series("tallied") == series("observed")
    assert len(series("tallied")) == len(SECONDS) + 3


async def test_followers_of_the_feed_are_counted(live_client: AsyncClient) -> None:
    before = value(await figures(live_client), "stuff_feed_subscribers")
    headers = {"Accept": "text/event-stream"}
    async with live_client.stream("GET", "/stuff", headers=headers) as response:
        assert response.status_code == 200
        assert value(await figures(live_client), "stuff_feed_subscribers") == before + 1
        await live_client.put("/stuff/a", json={})
        async with asyncio.timeout(TIMEOUT):
            async for line in response.aiter_lines():
                if line.startswith("data:"):
                    break
        assert 0 <= value(await figures(live_client), "stuff_feed_lag_seconds") < patient(5)


async def test_problems_are_counted_by_type(live_client: AsyncClient) -> None:
    before = await figures(live_client)
    await live_client.get("/stuff/none")
    await live_client.get("/none")
    await live_client.get("/stuff", params={"filter": "{"})
    await live_client.get("/stuff/none", headers={"Host": "a b"})  # refused before routing
    after = await figures(live_client)
    name = "stuff_problems_total"
    more = {
        dict(labels)["type"]: count - before.get((series, labels), 0)
        for (series, labels), count in after.items()
        if series == name and count != before.get((series, labels))
    }
    assert more == {
        "document-not-found": 1, "route-not-found": 1, "invalid-parameter": 1, "bad-request": 1
    }  # fmt: skip


async def until_value(client: AsyncClient, name: str, expected: float) -> None:
    async with asyncio.timeout(TIMEOUT):
        while value(await figures(client), name) != expected:
            await asyncio.sleep(0.05)


async def test_whether_the_database_is_up_is_shown(
    application: Application, mongodb_uri: str
) -> None:
    async with linked(mongodb_uri) as link, application(mongodb_uri=link.uri) as client:
        await until_value(client, "stuff_database_up", 1)
        await link.cut()
        await until_value(client, "stuff_database_up", 0)
        await link.open()
        await until_value(client, "stuff_database_up", 1)


async def test_the_state_of_a_database_is_shown_when_its_servers_become_known() -> None:
    """The driver looks up the servers of a `mongodb+srv` URI when it connects at last."""

    async def nothing() -> None:
        pass

    uri = "mongodb+srv://stuff.invalid/"
    with MongoClient[RawBSONDocument](uri, connect=False) as client:
        reporting = asyncio.create_task(report(client, Readiness(client, nothing)))
        await asyncio.sleep(0.01)
        assert not reporting.done()
        reporting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reporting


async def test_connections_in_use_are_counted(application: Application, play: Play) -> None:
    gate = Gate()
    database = play(PRIMARY, forward=True)
    async with application(mongodb_uri=database.uri()) as client:
        await until_value(client, "stuff_database_connections_in_use", 0)
        database.always("find", gate.before(forward))
        pages = [asyncio.create_task(client.get("/stuff")) for _ in range(2)]
        await until_value(client, "stuff_database_connections_in_use", 2)
        gate.open()
        assert [page.status_code for page in await asyncio.gather(*pages)] == [200, 200]
        await until_value(client, "stuff_database_connections_in_use", 0)


async def test_the_version_is_shown(client: AsyncClient) -> None:
    shown = await figures(client)
    python = platform.python_version()
    assert value(shown, "stuff_build_info", version=__version__, python=python) == 1


OF_PROMETHEUS = {"process_open_fds", "process_max_fds", "process_start_time_seconds"}
"""Of its client library; `process_cpu_seconds_total` and others are there too."""


async def exported(client: AsyncClient) -> set[str]:
    """The names of all series, those of histograms included."""
    await client.put("/stuff/a", json={})
    await client.get("/stuff/none")
    families = list(text_string_to_metric_families((await client.get("/metrics")).text))
    return (
        {sample.name for family in families for sample in family.samples}
        | {f"{family.name}_total" for family in families if family.type == "counter"}
        | {f"{family.name}_bucket" for family in families if family.type == "histogram"}
    )


def named(text: str) -> set[str]:
    """The names of metrics in queries."""
    return set(re.findall(r"\b(?:stuff|process)_[a-z_]+\b", text))


async def test_the_dashboard_shows_all_metrics_and_no_others(client: AsyncClient) -> None:
    dashboard = json.loads((ROOT / "examples" / "grafana.json").read_text())
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert all(panel["targets"] for panel in dashboard["panels"])
    shown, there = named("\n".join(queries)), await exported(client)
    assert shown <= there

    def base(name: str) -> str:
        return re.sub("_(total|bucket|sum|count|created)$", "", name)

    ours = {base(name) for name in there if name.startswith("stuff_")}
    assert ours <= {base(name) for name in shown}


async def test_the_alert_rules_use_metrics_that_exist(client: AsyncClient) -> None:
    rules = re.sub(r"annotations:.*?(?=- alert|\Z)", "", ALERTS.read_text(), flags=re.DOTALL)
    assert rules.count("expr:") == rules.count("alert:") >= 10
    assert OF_PROMETHEUS <= named(rules) <= await exported(client)
