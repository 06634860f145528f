"""A server on a loopback port that plays a database, or stands before a real one."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from bson.int64 import Int64

from service.settings.rules import RECORDS
from tests.support.database.answers import Answer, ConnectionLost, Reply, error, resolve
from tests.support.database.clock import Clock
from tests.support.database.labels import labels
from tests.support.database.ledger import Asked, Fault, Ledger
from tests.support.database.refusals import BAD_VALUE, COMMAND_NOT_FOUND, Refusal
from tests.support.database.roles import Role
from tests.support.database.rules import check
from tests.support.database.script import Script
from tests.support.database.upstream import Upstream
from tests.support.database.wire import Message, ProtocolFault, read_message, without, write_reply

CLUSTER_TIME = {"$clusterTime", "operationTime"}
HELLO = ("hello", "isMaster", "ismaster")


class PlayedDatabase(Ledger, Script):
    """Answers as planted, else as its role, else as the real database.

    It runs in a thread and an event loop of its own: drivers block theirs, e.g. when they close.
    Everything here may be called from any thread. See `playing`.
    """

    def __init__(self, role: Role, real: str | None = None) -> None:
        """`real` is the URI of a database that gets what is not answered here."""
        Ledger.__init__(self)
        Script.__init__(self)
        self.role = role
        self.clock = Clock()
        self.port = 0
        self._real = real
        self._await_cursors: dict[Any, bool] = {}
        self._connections = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def uri(self, **options: object) -> str:
        """Where drivers find it, e.g. `uri(retryWrites="true")`."""
        given = {"retryWrites": "false"} | options
        return f"mongodb://{self.address}/?" + "&".join(f"{k}={v}" for k, v in given.items())

    async def run(self, started: Callable[[asyncio.AbstractEventLoop], None]) -> None:
        """Serve until cancelled."""
        tasks: set[asyncio.Task[None]] = set()

        async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                # What cancels it is only the end of the server; asyncio logs it otherwise.
                with suppress(asyncio.CancelledError):
                    await self._serve(reader, writer)
            finally:
                tasks.discard(task)
                writer.transport.abort()

        server = await asyncio.start_server(connect, "127.0.0.1", 0, backlog=1000)
        self.port = server.sockets[0].getsockname()[1]
        started(asyncio.get_running_loop())
        try:
            await asyncio.Event().wait()
        finally:
            server.close()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        number = self._connections
        upstream = None if self._real is None else Upstream(self._real)
        try:
            # The client, the server, or a planted answer ends the connection.
            with suppress(asyncio.IncompleteReadError, OSError, ConnectionLost):
                while True:
                    message = await read_message(reader)
                    data = await _Exchange(self, message, number, upstream).answer()
                    if data:
                        writer.write(data)
                        await writer.drain()
        except ProtocolFault as fault:
            asked = Asked("bytes", {}, number)
            self.faults.append(Fault(asked, str(fault)))
        finally:
            if upstream is not None:
                upstream.close()

    def refusal(self, message: Message) -> Refusal | None:
        """Why MongoDB would not accept this command."""
        try:
            check(message.body, message.sequences)
            is_limited = "getMore" in message.body and "maxTimeMS" in message.body
            if is_limited and not self.waits_for_data(message.body):
                raise Refusal(
                    BAD_VALUE, "cannot set maxTimeMS on getMore command for a non-awaitData cursor"
                )
        except Refusal as refusal:
            return refusal
        return None

    def waits_for_data(self, command: dict[str, Any]) -> bool:
        """Whether it is of a change stream or another cursor that waits at its end."""
        if "getMore" in command:
            return self._await_cursors.get(command["getMore"], True)
        [first, *_] = command.get("pipeline") or [{}]
        return "$changeStream" in first or bool(command.get("awaitData"))

    def learn(self, command: dict[str, Any], reply: Reply) -> None:
        """Remember which cursors wait for data, and the time of the real database."""
        self.clock.see(reply)
        id = reply.get("cursor", {}).get("id", 0)
        if id and "getMore" not in command:
            self._await_cursors[id] = self.waits_for_data(command)


class _Exchange:
    """A command, and how it is answered."""

    def __init__(
        self, server: PlayedDatabase, message: Message, connection: int, upstream: Upstream | None
    ) -> None:
        self._server = server
        self._message = message
        self._connection = connection
        self._upstream = upstream
        self.command = message.body
        self.name = next(iter(self.command), "")

    async def answer(self) -> bytes:
        """The bytes of the answer; none if none is expected. Raises `ConnectionLost`."""
        server = self._server
        asked = Asked(self.name, self.command, self._connection)
        server.record(asked)
        if refusal := server.refusal(self._message):
            server.faults.append(Fault(asked, refusal.message))
            return self._write(error(refusal.code, refusal.message))
        if refusal := server.role.refusal(self.command):
            return self._write(error(refusal.code, refusal.message))
        planted = server.planted(self.name, self.command)
        if planted is not None:
            reply = await self._resolve(planted, asked)
        elif (own := self._own_answer()) is not None:
            reply = own
        elif self._upstream is not None:
            answered = await self._forward()
            if answered is None:
                return b""
            return answered.raw if server.role.has_cluster_time else without(answered, CLUSTER_TIME)
        else:
            server.faults.append(Fault(asked, "no answer is planted"))
            reply = error(COMMAND_NOT_FOUND, f"no answer is planted for {self.name}")
        return self._write(reply)

    async def _resolve(self, planted: Answer, asked: Asked) -> Reply:
        """What the test has planted; an exception of it is a fault, and breaks the connection."""
        try:
            return await resolve(planted, self)
        except (ConnectionLost, OSError, asyncio.IncompleteReadError):
            raise
        except Exception as raised:
            self._server.faults.append(Fault(asked, f"the planted answer raised {raised!r}"))
            raise ConnectionLost from raised

    async def forward(self) -> dict[str, Any]:
        """What the real database answers."""
        answered = await self._forward()
        return {"ok": 1.0} if answered is None else answered.body

    async def _forward(self) -> Message | None:
        if self._upstream is None:
            raise AssertionError("There is no real database to forward to.")
        answered = await self._upstream.send(self._message)
        if answered is not None:
            self._server.learn(self.command, answered.body)
        return answered

    def _own_answer(self) -> Reply | None:
        """What the role says of itself; without a real database, also what drivers must hear."""
        role = self._server.role
        if self.name in HELLO:
            return role.hello(self._server.address, self._connection)
        if self.name in ("buildInfo", "buildinfo"):
            return role.build_info()
        if self._upstream is not None:
            return None
        match self.name:
            case "ping" | "endSessions" | "abortTransaction" | "commitTransaction":
                return {"ok": 1.0}
            case "killCursors":
                killed = {"cursorsKilled": self.command["cursors"]}
                return killed | {"cursorsNotFound": [], "cursorsAlive": [], "cursorsUnknown": []}
            case "find" if self.command.get("filter") == {"_id": ""}:
                # No document has this id. The service asks at its start, in a transaction.
                namespace = f"{self.command['$db']}.{self.command['find']}"
                return {"cursor": {"firstBatch": [], "id": Int64(0), "ns": namespace}}
            case "createIndexes" if self.command["createIndexes"] == RECORDS:
                return {"ok": 1.0}
            case "listCollections":
                namespace = f"{self.command['$db']}.$cmd.listCollections"
                return {"cursor": {"firstBatch": [], "id": Int64(0), "ns": namespace}}
            case _:
                return None

    def _write(self, reply: Reply) -> bytes:
        if self._message.more_to_come:
            return b""
        self._server.learn(self.command, reply)
        whole = {"ok": 1.0} | self._labelled(reply)
        if self._server.role.has_cluster_time:
            whole = self._server.clock.stamp() | whole
        return write_reply(self._message, whole)

    def _labelled(self, reply: Reply) -> dict[str, Any]:
        """The reply with the labels of its error, unless the test has said which they are."""
        if reply.get("ok", 1) or "errorLabels" in reply:
            return dict(reply)
        given = labels(
            reply["code"],
            self.command,
            is_mongos=self._server.role.kind.get("msg") == "isdbgrid",
            is_change_stream=self._server.waits_for_data(self.command),
        )
        return dict(reply) | ({"errorLabels": given} if given else {})
