"""The fields that every command may have: sessions, transactions, concerns, preferences, limits."""

from collections.abc import Mapping
from typing import Any

from tests.support.database import fields
from tests.support.database.command import Command
from tests.support.database.fields import check_fields
from tests.support.database.refusals import (
    API_VERSION,
    BAD_VALUE,
    FAILED_TO_PARSE,
    INVALID_OPTIONS,
    NOT_IN_TRANSACTIONS,
    Refusal,
)

MAX_TIME_MS = 2**31 - 1
LEVELS = {"local", "available", "majority", "linearizable", "snapshot"}
MODES = {"primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"}
ENDS_OF_TRANSACTIONS = {"commitTransaction", "abortTransaction"}


def check_generic(name: str, command: Command, asked: Mapping[str, Any]) -> None:
    """Raises `Refusal` if a command does not accept them, or not together."""
    if asked.get("maxTimeMS", 0) > MAX_TIME_MS:
        raise Refusal(BAD_VALUE, f"{asked['maxTimeMS']} value for maxTimeMS is out of range")
    _check_stable_api(asked)
    if "lsid" in asked:
        check_fields("lsid", asked["lsid"], fields.SESSION, "id")
    if "$clusterTime" in asked:
        time = asked["$clusterTime"]
        check_fields("$clusterTime", time, fields.CLUSTER_TIME, "clusterTime")
    _check_transaction(name, command, asked)
    if "readConcern" in asked:
        _check_read_concern(name, command, asked)
    if "writeConcern" in asked:
        _check_write_concern(name, command, asked)
    if "$readPreference" in asked:
        _check_read_preference(asked["$readPreference"])


def _check_stable_api(asked: Mapping[str, Any]) -> None:
    """https://www.mongodb.com/docs/manual/reference/stable-api/"""
    if asked.get("apiVersion", "1") != "1":
        raise Refusal(API_VERSION, "API version must be 1")
    if asked.keys() & {"apiStrict", "apiDeprecationErrors"} and "apiVersion" not in asked:
        raise Refusal(API_VERSION, "apiStrict without apiVersion")


def _check_transaction(name: str, command: Command, asked: Mapping[str, Any]) -> None:
    """https://www.mongodb.com/docs/manual/core/transactions-in-applications/ and
    https://www.mongodb.com/docs/manual/core/retryable-writes/
    """
    if "txnNumber" in asked and "lsid" not in asked:
        raise Refusal(INVALID_OPTIONS, "Transaction number requires a session ID")
    if "autocommit" in asked:
        if "txnNumber" not in asked:
            raise Refusal(INVALID_OPTIONS, "'autocommit' field requires a transaction number")
        if asked["autocommit"]:
            raise Refusal(INVALID_OPTIONS, "autocommit must be false")
        if not command.in_transactions:
            raise Refusal(NOT_IN_TRANSACTIONS, f"Cannot run '{name}' in a transaction.")
        if "readConcern" in asked and "startTransaction" not in asked:
            raise Refusal(INVALID_OPTIONS, "Only the first command may have a readConcern")
        if "writeConcern" in asked and name not in ENDS_OF_TRANSACTIONS:
            raise Refusal(INVALID_OPTIONS, "Only commit and abort may have a writeConcern")
    elif name in ENDS_OF_TRANSACTIONS:
        raise Refusal(125, f"{name} must be run within a transaction")
    elif "txnNumber" in asked and not command.retryable:
        raise Refusal(50768, "txnNumber only with transactions and retryable writes")
    if "startTransaction" in asked:
        if "autocommit" not in asked:
            raise Refusal(INVALID_OPTIONS, "'startTransaction' field requires 'autocommit'")
        if not asked["startTransaction"]:
            raise Refusal(INVALID_OPTIONS, "startTransaction must be true")
        if name in ENDS_OF_TRANSACTIONS:
            raise Refusal(50767, f"Cannot run '{name}' at the start of a transaction")


def _check_read_concern(name: str, command: Command, asked: Mapping[str, Any]) -> None:
    """https://www.mongodb.com/docs/manual/reference/read-concern/#read-concern-support"""
    concern = asked["readConcern"]
    check_fields("readConcern", concern, fields.READ_CONCERN)
    if concern and not command.takes_read_concern and "startTransaction" not in asked:
        raise Refusal(INVALID_OPTIONS, f"Command {name} does not support this readConcern")
    level = concern.get("level", "local")
    if level not in LEVELS:
        raise Refusal(FAILED_TO_PARSE, "readConcern.level must be one of those of the manual")
    if "startTransaction" in asked and level not in {"local", "majority", "snapshot"}:
        raise Refusal(INVALID_OPTIONS, "The readConcern level must be local, majority or snapshot")
    if "atClusterTime" in concern and level != "snapshot":
        raise Refusal(INVALID_OPTIONS, "readConcern.atClusterTime needs the level snapshot")
    if concern.keys() >= {"atClusterTime", "afterClusterTime"}:
        raise Refusal(INVALID_OPTIONS, "afterClusterTime and atClusterTime exclude each other")
    if "afterClusterTime" in concern and level in {"linearizable", "available"}:
        raise Refusal(INVALID_OPTIONS, f"afterClusterTime with the level {level}")


def _check_write_concern(name: str, command: Command, asked: Mapping[str, Any]) -> None:
    """https://www.mongodb.com/docs/manual/reference/write-concern/"""
    concern = asked["writeConcern"]
    check_fields("writeConcern", concern, fields.WRITE_CONCERN)
    if not command.takes_write_concern:
        raise Refusal(INVALID_OPTIONS, f"Command {name} does not support writeConcern")
    if concern.get("w", 1) == 0 and concern.get("j"):
        raise Refusal(BAD_VALUE, "j: true needs an acknowledged write")


def _check_read_preference(preference: Mapping[str, Any]) -> None:
    """https://www.mongodb.com/docs/manual/core/read-preference/"""
    check_fields("$readPreference", preference, fields.READ_PREFERENCE, "mode")
    if preference["mode"] not in MODES:
        raise Refusal(FAILED_TO_PARSE, f"an unknown mode {preference['mode']}")
    if preference["mode"] == "primary" and len(preference) > 1:
        raise Refusal(FAILED_TO_PARSE, "Only mode is allowed with the mode primary")
