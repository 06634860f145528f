"""The time that commands may take, as the database is told."""

import time

import pymongo
import pytest
from pymongo import MongoClient, _csot

from service.mongo.limits import milliseconds
from tests.support.database.playing import Play
from tests.support.database.roles import PRIMARY
from tests.support.patience import TIMEOUT

ONE = [{"q": {"_id": "a"}, "limit": 1}]


@pytest.mark.parametrize("seconds", [0.0, 0.0004, 0.001])
def test_a_limit_is_not_rounded_to_none(seconds: float) -> None:
    assert milliseconds(seconds) == 1


def test_a_command_at_the_last_moment_is_limited(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A `maxTimeMS` of 0 would let the database work on it for ever."""
    database = play(PRIMARY, forward=True)
    # What is left is what remains after the time that the way to the database takes.
    monkeypatch.setattr(_csot, "get_rtt", lambda: _csot.get_deadline() - time.monotonic() - 0.0005)
    with MongoClient[dict[str, object]](database.uri()) as mongo, pymongo.timeout(TIMEOUT):
        stuff = mongo["demo"]["stuff"]
        stuff.insert_one({"_id": "a"})
        stuff.bulk_write([pymongo.ReplaceOne({"_id": "a"}, {"n": 1})])
        stuff.find_one({"_id": "a"})
        mongo["demo"].command("delete", "stuff", deletes=ONE)
    for name in ("insert", "update", "find", "delete"):
        [command] = database.commands(name)
        assert command["maxTimeMS"] >= 1


def test_the_lower_one_of_two_limits_holds(play: Play) -> None:
    database = play(PRIMARY, forward=True)
    with MongoClient[dict[str, object]](database.uri()) as mongo:
        for seconds, own in ((TIMEOUT, 5000), (TIMEOUT, 2**31 - 1)):
            with pymongo.timeout(seconds):
                mongo["demo"].command("delete", "stuff", deletes=ONE, maxTimeMS=own)
    first, second = database.commands("delete")
    assert first["maxTimeMS"] == 5000
    assert second["maxTimeMS"] <= TIMEOUT * 1000
