"""What the README and other pages say is what there is."""

import json
import re
from pathlib import Path

from httpx import AsyncClient

from bench import report
from service.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
COSTS = (ROOT / "docs" / "explanation" / "costs.md").read_text()
SECURITY = (ROOT / "SECURITY.md").read_text()


def test_the_figures_are_those_that_were_measured() -> None:
    measured = json.loads((ROOT / "bench" / "results.json").read_text())["records"]
    assert report.summary(measured) in COSTS
    rate = re.search(r"^\| stuff \| ([\d,]+) \|", COSTS, re.MULTILINE)
    assert rate
    assert f" {rate[1]} `GET`s a second" in README
    page = (ROOT / "bench" / "README.md").read_text()
    for table in (report.goals_table, report.latency_table, report.peers_table):
        assert table(measured) in page


def test_the_security_model_says_what_each_limit_protects() -> None:
    section = SECURITY.partition("\n## What each limit protects\n")[2].partition("\n## ")[0]
    rows = "".join(re.findall(r"^\| (`STUFF_.*?) \|", section, re.MULTILINE))
    listed = {name.lower() for name in re.findall(r"`STUFF_(\w+)`", rows)}
    limits = {
        name
        for name in Settings.model_fields
        if name.startswith("max_") or name.endswith("_timeout")
    }
    assert listed == limits


def test_the_security_model_names_only_settings_that_there_are() -> None:
    named = {name.lower() for name in re.findall(r"`STUFF_(\w*[A-Z])`", SECURITY)}
    assert named <= set(Settings.model_fields)


async def test_the_entity_tags_shown_are_real(client: AsyncClient) -> None:
    assert (await client.put("/stuff/ada", json={"name": "Ada"})).headers["etag"] in README
