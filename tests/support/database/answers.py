"""Answers of a database that a test makes up: replies, errors, delays and broken connections."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any, Protocol, TypeAlias

from tests.support.patience import TIMEOUT

WAIT = TIMEOUT

# https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
CODE_NAMES = {
    2: "BadValue",
    6: "HostUnreachable",
    7: "HostNotFound",
    9: "FailedToParse",
    11: "UserNotFound",
    13: "Unauthorized",
    14: "TypeMismatch",
    18: "AuthenticationFailed",
    20: "IllegalOperation",
    24: "LockTimeout",
    26: "NamespaceNotFound",
    43: "CursorNotFound",
    50: "MaxTimeMSExpired",
    59: "CommandNotFound",
    63: "StaleShardVersion",
    64: "WriteConcernFailed",
    72: "InvalidOptions",
    89: "NetworkTimeout",
    91: "ShutdownInProgress",
    100: "UnsatisfiableWriteConcern",
    112: "WriteConflict",
    115: "CommandNotSupported",
    121: "DocumentValidationFailure",
    133: "FailedToSatisfyReadPreference",
    134: "ReadConcernMajorityNotAvailableYet",
    136: "CappedPositionLost",
    150: "StaleEpoch",
    189: "PrimarySteppedDown",
    222: "CloseChangeStream",
    237: "CursorKilled",
    251: "NoSuchTransaction",
    260: "InvalidResumeToken",
    262: "ExceededTimeLimit",
    280: "ChangeStreamFatalError",
    286: "ChangeStreamHistoryLost",
    290: "TransactionExceededLifetimeLimitSeconds",
    322: "APIVersionError",
    8000: "AtlasError",
    9001: "SocketException",
    10107: "NotWritablePrimary",
    10334: "BSONObjectTooLarge",
    11000: "DuplicateKey",
    11600: "InterruptedAtShutdown",
    11601: "Interrupted",
    11602: "InterruptedDueToReplStateChange",
    13388: "StaleConfig",
    13435: "NotPrimaryNoSecondaryOk",
    13436: "NotPrimaryOrSecondary",
    14031: "OutOfDiskSpace",
    40414: "IDLFailedToParse",
    40415: "IDLUnknownField",
}


class Exchange(Protocol):
    """A command that is to be answered."""

    @property
    def name(self) -> str: ...

    @property
    def command(self) -> dict[str, Any]: ...

    async def forward(self) -> dict[str, Any]:
        """What the real database answers."""


Reply: TypeAlias = Mapping[str, Any]
Answer: TypeAlias = Reply | Callable[[Exchange], Reply | Awaitable[Reply]]
"""A reply, or a function of the command that returns one, called in the server's event loop."""


class ConnectionLost(Exception):
    """Raised by an answer: the server closes the connection and says nothing."""


def error(
    code: int, message: str = "planted", *labels: str, name: str | None = None, **members: Any
) -> dict[str, Any]:
    """A command that failed. It has the labels that MongoDB would give it, unless some are given;
    none with `errorLabels=[]`.

    https://www.mongodb.com/docs/manual/reference/method/db.runCommand/#response
    """
    reply: dict[str, Any] = {
        "ok": 0.0,
        "errmsg": message,
        "code": code,
        "codeName": name or CODE_NAMES.get(code, f"Location{code}"),
    }
    if labels:
        reply["errorLabels"] = list(labels)
    return reply | members


def write_errors(codes: Mapping[int, int], message: str = "planted") -> Answer:
    """An unordered bulk of which some statements fail, by their index, and the others are done.

    Nothing is written. https://www.mongodb.com/docs/manual/reference/command/update/#output
    """

    def answer(exchange: Exchange) -> Reply:
        [field] = exchange.command.keys() & {"documents", "updates", "deletes"}
        statements: Sequence[Mapping[str, Any]] = exchange.command[field]
        done = [index for index in range(len(statements)) if index not in codes]
        reply: dict[str, Any] = {
            "ok": 1.0,
            "n": len(done),
            "writeErrors": [
                {"index": index, "code": code, "errmsg": message} for index, code in codes.items()
            ],
        }
        if field == "updates":
            reply["nModified"] = 0
            reply["upserted"] = [
                {"index": index, "_id": statements[index]["q"].get("_id")} for index in done
            ]
        return reply

    return answer


def cursor(namespace: str, *documents: Mapping[str, Any], id: int = 0) -> dict[str, Any]:
    """The reply to a find or an aggregate, whole in its first batch."""
    return {"ok": 1.0, "cursor": {"firstBatch": list(documents), "id": id, "ns": namespace}}


async def forward(exchange: Exchange) -> Reply:
    """What the real database answers."""
    return await exchange.forward()


def broken(_: Exchange) -> Reply:
    """The connection breaks before the database has got the command."""
    raise ConnectionLost


async def broken_after(exchange: Exchange) -> Reply:
    """The real database does it, but the connection breaks before its answer arrives."""
    await exchange.forward()
    raise ConnectionLost


async def resolve(answer: Answer, exchange: Exchange) -> Reply:
    """The reply that an answer gives to a command."""
    if isinstance(answer, Mapping):
        return answer
    reply = answer(exchange)
    return reply if isinstance(reply, Mapping) else await reply


class Gate:
    """Holds answers back until it is opened, from whichever thread and event loop.

    As `database.answer("find", gate.before(forward))` it delays the command itself, as
    `gate.after(forward)` the answer to what is done already.
    """

    def __init__(self) -> None:
        self._reached: Future[None] = Future()
        self._opened: Future[None] = Future()

    def open(self) -> None:
        if not self._opened.done():
            self._opened.set_result(None)

    async def reached(self) -> None:
        """Wait until a command has come to the gate; with `after`, until the reply has."""
        await _wait(self._reached)

    def before(self, answer: Answer) -> Answer:
        """Answer once the gate is open."""

        async def held(exchange: Exchange) -> Reply:
            await self._pass()
            return await resolve(answer, exchange)

        return held

    def after(self, answer: Answer) -> Answer:
        """Answer now, and let the reply out once the gate is open."""

        async def held(exchange: Exchange) -> Reply:
            reply = await resolve(answer, exchange)
            await self._pass()
            return reply

        return held

    async def _pass(self) -> None:
        if not self._reached.done():
            self._reached.set_result(None)
        # The end of the server ends it.
        await asyncio.shield(asyncio.wrap_future(self._opened))


async def _wait(future: Future[None]) -> None:
    async with asyncio.timeout(WAIT):
        await asyncio.shield(asyncio.wrap_future(future))
