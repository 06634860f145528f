"""The labels that MongoDB gives to errors, by which drivers know what to try again.

https://github.com/mongodb/mongo/blob/master/src/mongo/db/error_labels.cpp
"""

from collections.abc import Mapping
from typing import Any

from tests.support.database.generic import ENDS_OF_TRANSACTIONS

# Categories of https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
RETRIABLE = {6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436}
STALE = {63, 150, 13388}  # what a router knows of the shards is out of date
TRANSIENT = {24, 112, 239, 246, 251, 267}
RESUMABLE = {133, 234}


def labels(
    code: int, command: Mapping[str, Any], *, is_mongos: bool, is_change_stream: bool
) -> list[str]:
    """Of an error with this code, in answer to this command."""
    is_end = next(iter(command)) in ENDS_OF_TRANSACTIONS
    if "autocommit" in command and not is_end and code in RETRIABLE | STALE | TRANSIENT:
        return ["TransientTransactionError"]
    # Mongos tries again by itself, and leaves the label to its shards.
    is_retryable = "txnNumber" in command and ("autocommit" not in command or is_end)
    if is_retryable and not is_mongos and code in RETRIABLE:
        return ["RetryableWriteError"]
    if is_change_stream and code in RETRIABLE | STALE | RESUMABLE:
        return ["ResumableChangeStreamError"]
    return []
