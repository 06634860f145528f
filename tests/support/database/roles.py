"""The databases that a playing server can seem to be.

https://www.mongodb.com/docs/manual/reference/command/hello/
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bson import ObjectId
from bson.int64 import Int64

from tests.support.database.commands import COMMANDS
from tests.support.database.refusals import ILLEGAL_OPERATION, UNKNOWN_FIELD, Refusal

# https://github.com/mongodb/specifications/blob/master/source/wireversion-featurelist/wireversion-featurelist.md
WIRE_VERSIONS = {"6.0": 17, "7.0": 21, "8.0": 25}
ELECTION = ObjectId("7fffffff0000000000000001")


@dataclass(frozen=True)
class Role:
    """What a database says of itself, and what it refuses although MongoDB accepts it."""

    name: str
    version: str = "7.0"
    kind: Mapping[str, Any] = field(default_factory=dict)
    """What hello says of it beside its limits; `{address}` stands for where it is reached."""
    has_cluster_time: bool = True
    """Whether replies carry `$clusterTime` and `operationTime`."""
    is_writable: bool = True
    has_transactions: bool = True
    change_stream_refusal: Refusal | None = None
    has_let: bool = True
    """Whether `update` and `delete` take `let`."""

    def hello(self, address: str, connection: int) -> dict[str, Any]:
        """The reply to hello."""
        reply: dict[str, Any] = {
            "isWritablePrimary": self.is_writable,
            "helloOk": True,
            "maxBsonObjectSize": 16 * 1024 * 1024,
            "maxMessageSizeBytes": 48_000_000,
            "maxWriteBatchSize": 100_000,
            "logicalSessionTimeoutMinutes": 30,
            "connectionId": connection,
            "minWireVersion": 0,
            "maxWireVersion": WIRE_VERSIONS[self.version],
            "readOnly": False,
        }
        for key, value in self.kind.items():
            reply[key] = [address] if value == ["{address}"] else value
            if value == "{address}":
                reply[key] = address
        return reply

    def refusal(self, command: Mapping[str, Any]) -> Refusal | None:
        """Why this database refuses what MongoDB accepts."""
        name = next(iter(command))
        if not self.is_writable and COMMANDS[name].takes_write_concern and name != "aggregate":
            return Refusal(10107, "not primary")
        if not self.has_transactions and "txnNumber" in command:
            return Refusal(
                ILLEGAL_OPERATION,
                "Transaction numbers are only allowed on a replica set member or mongos",
            )
        [stage, *_] = command.get("pipeline") or [{}]
        if self.change_stream_refusal and "$changeStream" in stage:
            return self.change_stream_refusal
        if not self.has_let and name in ("update", "delete") and "let" in command:
            return Refusal(UNKNOWN_FIELD, f"BSON field '{name}.let' is an unknown field.")
        return None

    def build_info(self) -> dict[str, Any]:
        numbers = [int(part) for part in self.version.split(".")]
        return {
            "version": f"{self.version}.0",
            "versionArray": [*numbers, 0, 0],
            "gitVersion": "0" * 40,
            "bits": 64,
            "debug": False,
            "maxBsonObjectSize": 16 * 1024 * 1024,
        }


_MEMBER = {"setName": "played", "setVersion": 1, "hosts": ["{address}"], "me": "{address}"}

PRIMARY = Role(
    "a primary",
    kind=_MEMBER | {"secondary": False, "primary": "{address}", "electionId": ELECTION},
)
SECONDARY = Role("a secondary", kind=_MEMBER | {"secondary": True}, is_writable=False)
MONGOS = Role("mongos", kind={"msg": "isdbgrid"})
STANDALONE = Role(
    "a standalone",
    has_cluster_time=False,
    has_transactions=False,
    change_stream_refusal=Refusal(
        40573, "The $changeStream stage is only supported on replica sets"
    ),
)
DOCUMENTDB = Role(
    "DocumentDB",
    kind={"msg": "isdbgrid"},
    has_cluster_time=False,
    change_stream_refusal=Refusal(
        115, "Stage $changeStream is not supported yet in native pipeline"
    ),
    has_let=False,
)

NO_SIGNATURE = {"hash": b"\0" * 20, "keyId": Int64(0)}
"""Of a cluster time, where nobody has to authenticate."""
