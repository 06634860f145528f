"""The benchmark on a database of others: it touches nothing there, and says what it cannot know."""

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.uri_parser import parse_uri

from bench import report
from bench.databases import PREFIX, Database, engine_of, existing

RESULTS = Path(__file__).parent.parent / "bench" / "results.json"


def test_it_uses_a_new_database_which_it_drops(
    mongo: MongoClient[dict[str, Any]], mongodb_uri: str
) -> None:
    used = []
    for fault in (None, KeyboardInterrupt):
        with suppress(KeyboardInterrupt), existing(mongodb_uri) as database:
            used.append(database.name)
            assert database.name.startswith(PREFIX)
            assert database.name not in mongo.list_database_names()
            mongo[database.name]["stuff"].insert_one({})
            if fault:
                raise fault
        assert database.name not in mongo.list_database_names()
    assert used[0] != used[1]


def test_results_say_which_engine_they_are_from(mongo: MongoClient[dict[str, Any]]) -> None:
    name, _, version = engine_of(mongo).partition(" ")
    assert name in ("SecantusDB", "MongoDB")
    assert version[0].isdigit()


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://one,two",
        "mongodb://one,two/",
        "mongodb://one,two/theirs",
        "mongodb://one,two/?retryWrites=false",
        "mongodb://user:password@one,two/theirs?retryWrites=false&authSource=admin",
    ],
)
def test_a_durable_client_changes_nothing_of_a_uri_but_the_write_concern(uri: str) -> None:
    before, after = parse_uri(uri), parse_uri(Database(uri, "any").durable().uri)
    options = dict(before["options"]) | {"w": "majority", "journal": True}
    assert dict(after.pop("options")) == options
    del before["options"]
    assert after == before


def test_the_cpu_time_of_a_distant_engine_is_shown_as_unknown_and_is_no_goal() -> None:
    measured = json.loads(RESULTS.read_text())["records"]
    known = [record for record in measured if record["engine_cpu_us"] is not None]
    unknown = [record | {"engine_cpu_us": None} for record in known]
    for records, dashes in ((known, 0), (unknown, len(unknown))):
        assert report.tables(records).count(f"| {report.UNKNOWN} |") == dashes
    names = [goal.name for goal in report.goals(known)]
    assert [goal.name for goal in report.goals(unknown)] == [
        name for name in names if "engine CPU" not in name
    ]
