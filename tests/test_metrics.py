"""Metrics: what is counted is what happened, over all workers."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from httpx import AsyncClient
from prometheus_client.parser import text_string_to_metric_families

from service.observability import metrics
from tests.support.metrics import parsed, value
from tests.support.patience import TIMEOUT, patient


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


async def test_the_dashboard_queries_metrics_that_exist(client: AsyncClient) -> None:
    dashboard = (Path(__file__).parent.parent / "examples" / "grafana.json").read_text()
    await client.put("/stuff/a", json={})
    text = (await client.get("/metrics")).text
    families = {
        family.name: family
        for family in text_string_to_metric_families(text)
        if not family.name.endswith("_created")
    }
    shown = set(re.findall(r"stuff_[a-z_]+", dashboard))
    there = {sample.name for family in families.values() for sample in family.samples} | {
        f"{name}_total" for name, family in families.items() if family.type == "counter"
    }
    assert shown <= there | {f"{name}_bucket" for name in families}
    assert {name for name in families if name.startswith("stuff_")} <= {
        re.sub("_(total|bucket|sum|count)$", "", name) for name in shown
    }
    assert all(panel["targets"] for panel in json.loads(dashboard)["panels"])
