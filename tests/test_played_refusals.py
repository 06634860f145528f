"""A played database refuses what MongoDB 6, 7, 8 or mongos refuses, and what its role refuses."""

from typing import Any

import pytest
from bson import SON, Timestamp
from bson.int64 import Int64
from pymongo import DeleteOne, MongoClient, UpdateOne
from pymongo.errors import BulkWriteError, NotPrimaryError, OperationFailure

from tests.support.database.answers import cursor
from tests.support.database.playing import Play
from tests.support.database.roles import DOCUMENTDB, MONGOS, SECONDARY, STANDALONE

STREAM: dict[str, Any] = {"$changeStream": {}}
UPDATE = {"q": {}, "u": {"$set": {"a": 1}}}
TRANSACTION = {"txnNumber": Int64(1), "autocommit": False}


def aggregate(*pipeline: dict[str, Any], **options: Any) -> dict[str, Any]:
    return {"aggregate": "c", "pipeline": list(pipeline), "cursor": {}} | options


def update(**options: Any) -> dict[str, Any]:
    return {"update": "c", "updates": [UPDATE | options]}


REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"nonsense": 1}, 59),
    ({"find": "c", "bogus": 1}, 40415),
    ({"find": "c", "let": [], "filter": {}}, 14),
    ({"find": "c", "filter": "x"}, 14),
    ({"find": "c", "limit": -1}, 14),
    ({"find": "c", "limit": True}, 14),
    ({"find": "c", "maxTimeMS": 2**31}, 2),
    ({"find": "c", "writeConcern": {"w": 1}}, 72),
    ({"find": "c", "readConcern": {"level": "some"}}, 9),
    ({"find": "c", "readConcern": {"levels": "majority"}}, 40415),
    ({"find": "c", "sort": {"a.": 1}}, 40353),
    ({"find": "c", "sort": {"a..b": 1}}, 15998),
    ({"find": "c", "sort": {"$a": 1}}, 16410),
    ({"find": "c", "sort": {"a": 2}}, 15975),
    ({"find": "c", "sort": {f"k{n}": 1 for n in range(33)}}, 13103),
    ({"find": "c", "projection": {"a": 1, "a.b": 1}}, 31249),
    ({"find": "c", "projection": {"a": 1, "b": 0}}, 31254),
    ({"find": "c", "awaitData": True}, 9),
    ({"getMore": 1, "collection": "c"}, 14),
    ({"getMore": Int64(1)}, 40414),
    ({"getMore": Int64(1), "collection": "c", "readConcern": {"level": "majority"}}, 72),
    ({"killCursors": "c", "cursors": [1]}, 14),
    ({"killCursors": "c", "cursors": []}, 2),
    ({"aggregate": "c", "pipeline": []}, 9),
    (aggregate({"$matches": {}}), 40324),
    (aggregate({"$match": {}, "$limit": 1}), 40323),
    (aggregate(writeConcern={"w": 1}), 72),
    (aggregate(cursor={"size": 1}), 40415),
    (aggregate({"$match": {}}, STREAM), 40602),
    (aggregate(STREAM, {"$group": {"_id": None}}), 72),
    (aggregate(STREAM, {"$project": {"_id": 0}}), 280),
    (aggregate(STREAM, {"$unset": "_id"}), 280),
    (aggregate(STREAM, readConcern={"level": "local"}), 72),
    (aggregate({"$changeStream": {"resume": 1}}), 40415),
    (aggregate({"$changeStream": {"startAtOperationTime": 1}}), 14),
    (aggregate({"$changeStream": {"resumeAfter": {}}}), 40647),
    (
        aggregate(
            {
                "$changeStream": {
                    "resumeAfter": {"_data": "82"},
                    "startAtOperationTime": Timestamp(1, 1),
                }
            }
        ),
        40674,
    ),
    ({"insert": "c", "documents": []}, 16),
    ({"insert": "c", "documents": [{"_id": []}]}, 53),
    ({"insert": "c", "documents": [{}], "let": {}}, 40415),
    ({"insert": "c", "documents": [{}], "readConcern": {"level": "majority"}}, 72),
    ({"insert": "c", "documents": [{}], "writeConcern": {"w": 0, "j": True}}, 2),
    (update(sort={"a": 1}), 40415),  # since 8.0
    (update(c={"a": 1}), 9),
    (update(u={"a": 1}, multi=True), 9),
    ({"update": "c", "updates": [{"q": {}}]}, 40414),
    ({"delete": "c", "deletes": [{"q": {}}]}, 40414),
    ({"delete": "c", "deletes": [{"q": {}, "limit": 2}]}, 9),
    ({"findAndModify": "c", "remove": True, "update": {}}, 9),
    ({"explain": {"find": "c", "bogus": 1}}, 40415),
    ({"explain": {"insert": "c"}}, 59),
    ({"explain": {"find": "c"}, "verbosity": "much"}, 9),
    ({"explain": {"find": "c"}, "readConcern": {"level": "majority"}}, 72),
    ({"createIndexes": "c", "indexes": [{"key": {"a": 1}}]}, 40414),
    ({"createIndexes": "c", "indexes": [{"key": {"a": 1}, "name": "a", "uniqe": True}]}, 40415),
    ({"dropIndexes": "c"}, 40414),
    ({"ping": 1, "apiStrict": True}, 322),
    ({"find": "c", "autocommit": False}, 72),
    ({"find": "c", "startTransaction": True}, 72),
    ({"find": "c", "$readPreference": {"mode": "first"}}, 9),
    ({"commitTransaction": 1}, 13),
    ({"count": "c", **TRANSACTION}, 263),
    ({"find": "c", "txnNumber": Int64(1)}, 50768),
    ({"find": "c", **TRANSACTION, "readConcern": {"level": "local"}}, 72),
    (update(multi=True) | {"txnNumber": Int64(1)}, 72),
]


def test_what_mongodb_refuses_is_refused_and_fails_the_test(play: Play) -> None:
    database = play(MONGOS)
    with MongoClient[dict[str, Any]](database.uri()) as client:
        for command, code in REFUSED:
            with pytest.raises(OperationFailure) as failure:
                client.a.command(SON(command))
            assert failure.value.code == code, command
            assert database.faults.pop().asked.name == next(iter(command))
            assert not database.faults
        with pytest.raises(OperationFailure):
            client.a.command("nonsense")
    with pytest.raises(AssertionError, match="no such command: 'nonsense'"):
        database.check()
    database.faults.clear()


def test_only_cursors_that_wait_for_data_take_a_time_limit(play: Play) -> None:
    database = play(MONGOS)
    database.always("find", cursor("a.c", id=5))
    database.always("aggregate", cursor("a.c", id=6))
    next_batch = {"cursor": {"nextBatch": [], "id": Int64(0), "ns": "a.c"}}
    database.always("getMore", next_batch)
    more: dict[str, Any] = {"collection": "c", "maxTimeMS": 5}
    with MongoClient[dict[str, Any]](database.uri()) as client:
        client.a.command({"find": "c"})
        client.a.command(aggregate(STREAM))
        client.a.command({"getMore": Int64(6)} | more)
        with pytest.raises(OperationFailure, match="non-awaitData"):
            client.a.command({"getMore": Int64(5)} | more)
    assert len(database.faults) == 1
    database.faults.clear()


def test_a_role_refuses_what_its_database_does_not_have(play: Play) -> None:
    for role, code in ((STANDALONE, 40573), (DOCUMENTDB, 115)):
        with MongoClient[dict[str, Any]](play(role).uri()) as client:
            with pytest.raises(OperationFailure) as failure:
                client.a.c.watch()
            assert failure.value.code == code
    database = play(DOCUMENTDB, forward=True)
    with MongoClient[dict[str, Any]](database.uri()) as client:
        for request in (UpdateOne({}, {"$set": {"a": 1}}), DeleteOne({})):
            with pytest.raises((OperationFailure, BulkWriteError)) as refused:
                client.a.c.bulk_write([request], let={"x": 1})
            assert refused.value.code == 40415
            client.a.c.bulk_write([request])
    with MongoClient[dict[str, Any]](play(SECONDARY).uri(directConnection="true")) as client:
        with pytest.raises(NotPrimaryError):
            client.a.c.insert_one({})
