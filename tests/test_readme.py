"""What the README and the reference list is what there is."""

import json
import re
from pathlib import Path

from httpx import AsyncClient

from bench import report
from service.errors import problem_types
from service.settings import Settings
from service.web.problems import TYPE_PREFIX

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
PROBLEMS = (ROOT / "docs" / "reference" / "problems.md").read_text()
SETTINGS = (ROOT / "docs" / "reference" / "settings.md").read_text()
COSTS = (ROOT / "docs" / "explanation" / "costs.md").read_text()
SECURITY = (ROOT / "SECURITY.md").read_text()


def test_all_problem_types_are_listed_with_their_status() -> None:
    rows = re.findall(rf"^\| (`{TYPE_PREFIX}.*) \| (\d+) \|$", PROBLEMS, re.MULTILINE)
    listed = {
        (slug, int(status))
        for types, status in rows
        for slug in re.findall(rf"`{TYPE_PREFIX}([a-z-]+)`", types)
    }
    assert listed == {(slug, error.status) for slug, error in problem_types().items()}


def test_the_figures_are_those_that_were_measured() -> None:
    measured = json.loads((ROOT / "bench" / "results.json").read_text())["records"]
    assert report.summary(measured) in COSTS
    rate = re.search(r"^\| stuff \| ([\d,]+) \|", COSTS, re.MULTILINE)
    assert rate
    assert f" {rate[1]} `GET`s a second" in README
    assert report.goals_table(measured) in (ROOT / "bench" / "README.md").read_text()


def test_all_settings_are_listed_with_their_default() -> None:
    listed: dict[str, str] = {}
    for names, defaults in re.findall(r"^\| (`STUFF_.*?) \| (.*?) \|", SETTINGS, re.MULTILINE):
        variables = re.findall(r"`STUFF_(\w+)`", names)
        listed |= dict(zip(variables, defaults.replace("`", "").lower().split(", "), strict=True))
    assert listed == {
        name.upper(): str(field.default).lower().removesuffix(".0")
        for name, field in Settings.model_fields.items()
    }


def test_the_security_model_says_what_each_limit_protects() -> None:
    section = SECURITY.partition("\n## What each limit protects\n")[2].partition("\n## ")[0]
    rows = "".join(re.findall(r"^\| (`STUFF_.*?) \|", section, re.MULTILINE))
    listed = {name.lower() for name in re.findall(r"`STUFF_(\w+)`", rows)}
    limits = {
        name
        for name in Settings.model_fields
        if name.startswith(("max_", "batch_")) or name.endswith("_timeout") or name == "round_trips"
    }
    assert listed == limits


def test_the_security_model_names_only_settings_that_there_are() -> None:
    named = {name.lower() for name in re.findall(r"`STUFF_(\w*[A-Z])`", SECURITY)}
    assert named <= set(Settings.model_fields)


async def test_the_entity_tags_shown_are_real(client: AsyncClient) -> None:
    assert (await client.put("/stuff/ada", json={"name": "Ada"})).headers["etag"] in README
