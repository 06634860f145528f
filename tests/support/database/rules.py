"""Whether MongoDB 6, 7, 8 and mongos accept a command, and with which error they refuse it."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.support.database import fields
from tests.support.database.command import Command
from tests.support.database.commands import COMMANDS, GENERIC, SEQUENCES
from tests.support.database.fields import check_fields
from tests.support.database.generic import check_generic
from tests.support.database.pipelines import check_pipeline, check_projection, check_sort
from tests.support.database.refusals import (
    BAD_VALUE,
    COMMAND_NOT_FOUND,
    FAILED_TO_PARSE,
    INVALID_LENGTH,
    INVALID_OPTIONS,
    UNAUTHORIZED,
    Refusal,
)

MAX_STATEMENTS = 100_000
VERBOSITY = {"queryPlanner", "executionStats", "allPlansExecution"}
EXPLAINABLE = {"aggregate", "count", "delete", "distinct", "find", "findAndModify", "update"}

Asked = Mapping[str, Any]


def check(asked: Asked, sequences: frozenset[str] = frozenset()) -> None:
    """Raises `Refusal` unless they all accept the command; `sequences` are the fields that came as
    document sequences."""
    name = next(iter(asked), "")
    command = COMMANDS.get(name)
    if command is None:
        raise Refusal(COMMAND_NOT_FOUND, f"no such command: '{name}'")
    if "$db" not in asked:
        raise Refusal(40571, "OP_MSG requests require a $db argument")
    if command.admin_only and asked["$db"] != "admin":
        raise Refusal(UNAUTHORIZED, f"{name} may only be run against the admin database.")
    if sequences - {SEQUENCES.get(name, "")}:
        raise Refusal(BAD_VALUE, f"{name} takes no document sequence {sorted(sequences)}")
    _check_parts(name, command, asked)
    check_generic(name, command, asked)


def _check_parts(name: str, command: Command, asked: Asked) -> None:
    check_fields(name, asked, {name: "any"} | GENERIC | command.fields, *command.required)
    if rule := _RULES.get(name):
        rule(asked)


def _check_find(asked: Asked) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/find/"""
    check_sort(asked.get("sort", {}))
    check_projection(asked.get("projection", {}))
    if asked.get("awaitData") and not asked.get("tailable"):
        raise Refusal(FAILED_TO_PARSE, "Cannot set 'awaitData' without also setting 'tailable'")
    if asked.get("tailable") and asked.get("sort", {}).keys() - {"$natural"}:
        raise Refusal(FAILED_TO_PARSE, "cannot use tailable option with a sort")


def _check_get_more(asked: Asked) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/getMore/

    Whether `maxTimeMS` is allowed depends on the cursor.
    """
    if asked.get("batchSize", 1) < 0:
        raise Refusal(BAD_VALUE, "Batch size for getMore must not be negative")
    if asked["getMore"] == 0:
        raise Refusal(BAD_VALUE, "Invalid cursor id 0")


def _check_aggregate(asked: Asked) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/aggregate/"""
    pipeline = asked["pipeline"]
    check_pipeline(pipeline)
    check_fields("aggregate.cursor", asked.get("cursor", {}), fields.CURSOR)
    if "cursor" not in asked and not asked.get("explain"):
        raise Refusal(
            FAILED_TO_PARSE,
            "The 'cursor' option is required, except for aggregate with the explain argument",
        )
    writes = pipeline and pipeline[-1].keys() & {"$out", "$merge"}
    if "writeConcern" in asked and not writes:
        raise Refusal(INVALID_OPTIONS, "a writeConcern without $out or $merge")
    if pipeline and "$changeStream" in pipeline[0]:
        if asked.get("readConcern", {}).get("level", "majority") != "majority":
            raise Refusal(INVALID_OPTIONS, "$changeStream is only run with readConcern 'majority'")
        if "startTransaction" in asked or "autocommit" in asked:
            raise Refusal(263, "$changeStream cannot run in a transaction")


def _check_statements(asked: Asked, field: str) -> None:
    if not 1 <= len(asked[field]) <= MAX_STATEMENTS:
        raise Refusal(INVALID_LENGTH, f"Write batch sizes must be between 1 and {MAX_STATEMENTS}")


def _check_insert(asked: Asked) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/insert/"""
    _check_statements(asked, "documents")
    for document in asked["documents"]:
        if isinstance(document.get("_id"), list):
            raise Refusal(53, "The '_id' value cannot be of type array")


def _check_update(asked: Asked) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/update/"""
    _check_statements(asked, "updates")
    for statement in asked["updates"]:
        check_fields("update.updates", statement, fields.UPDATE, "q", "u")
        change = statement["u"]
        is_pipeline = isinstance(change, list)
        is_replacement = not is_pipeline and not any(key.startswith("$") for key in change)
        if "c" in statement and not is_pipeline:
            raise Refusal(FAILED_TO_PARSE, "Constant values may only be specified for pipelines")
        if "arrayFilters" in statement and (is_pipeline or is_replacement):
            raise Refusal(FAILED_TO_PARSE, "arrayFilters may only be specified with operators")
        if statement.get("multi") and is_replacement:
            raise Refusal(FAILED_TO_PARSE, "multi update is not supported for replacement")
        if statement.get("multi") and "txnNumber" in asked and "autocommit" not in asked:
            raise Refusal(INVALID_OPTIONS, "Cannot use retryable writes with multi=true")


def _check_delete(asked: Asked) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/delete/"""
    _check_statements(asked, "deletes")
    for statement in asked["deletes"]:
        check_fields("delete.deletes", statement, fields.DELETE, "q", "limit")
        if statement["limit"] not in (0, 1):
            raise Refusal(FAILED_TO_PARSE, "The limit field in delete objects must be 0 or 1")
        if statement["limit"] == 0 and "txnNumber" in asked and "autocommit" not in asked:
            raise Refusal(INVALID_OPTIONS, "Cannot use retryable writes with limit=0")


def _check_find_and_modify(asked: Asked) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/findAndModify/"""
    check_sort(asked.get("sort", {}))
    check_projection(asked.get("fields", {}))
    if bool(asked.get("remove")) == ("update" in asked):
        raise Refusal(FAILED_TO_PARSE, "Either an update or remove=true must be specified")
    if asked.get("remove") and (asked.get("new") or asked.get("upsert")):
        raise Refusal(FAILED_TO_PARSE, "Cannot specify new or upsert with remove")


def _check_explain(asked: Asked) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/explain/"""
    if asked.get("verbosity", "queryPlanner") not in VERBOSITY:
        raise Refusal(FAILED_TO_PARSE, "verbosity string must be one of those of the manual")
    explained = asked["explain"]
    name = next(iter(explained), "")
    if name not in EXPLAINABLE:
        raise Refusal(COMMAND_NOT_FOUND, f"Explain failed due to unknown command: {name}")
    if explained.get("$db", asked["$db"]) != asked["$db"]:
        raise Refusal(73, "Mismatched $db in explain command")
    if name == "aggregate":
        explained = {"cursor": {}} | explained
        if "explain" in explained:
            raise Refusal(FAILED_TO_PARSE, "The 'explain' option is illegal inside of explain")
    # Versions differ in what else they take here; none needs it.
    for field in ("readConcern", "writeConcern"):
        if field in explained:
            raise Refusal(INVALID_OPTIONS, f"explain with {field}")
    _check_parts(name, COMMANDS[name], {"$db": asked["$db"]} | explained)


def _check_create_indexes(asked: Asked) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/createIndexes/"""
    if not asked["indexes"]:
        raise Refusal(BAD_VALUE, "Must specify at least one index to create")
    for index in asked["indexes"]:
        check_fields("createIndexes.indexes", index, fields.INDEX, "key", "name")
        if not index["key"]:
            raise Refusal(67, "Index keys cannot be empty.")


def _check_cursor(asked: Asked) -> None:
    check_fields("cursor", asked.get("cursor", {}), fields.CURSOR)


def _check_kill_cursors(asked: Asked) -> None:
    """https://www.mongodb.com/docs/manual/reference/command/killCursors/"""
    if not asked["cursors"]:
        raise Refusal(BAD_VALUE, "Must specify at least one cursor id")


_RULES: Mapping[str, Callable[[Asked], None]] = {
    "find": _check_find,
    "getMore": _check_get_more,
    "killCursors": _check_kill_cursors,
    "aggregate": _check_aggregate,
    "insert": _check_insert,
    "update": _check_update,
    "delete": _check_delete,
    "findAndModify": _check_find_and_modify,
    "explain": _check_explain,
    "createIndexes": _check_create_indexes,
    "listIndexes": _check_cursor,
    "listCollections": _check_cursor,
}
