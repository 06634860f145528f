"""A database at a fixed distance, which answers every command after the same time.

    python -m bench.distant PORT LATENCY_MS DOCUMENTS BODY_BYTES

It speaks MongoDB's wire protocol and plays mongos. Every collection has the documents 1, 2, 3, ...:
`sent` as the original stores them, any other as this service does. Writes are counted and
acknowledged, and change nothing. So a command of 64 documents takes a small part of a millisecond
of its own, and what is measured in front of it is the service, and the distance.

Each connection has a thread that sleeps, since the timers of event loops have a resolution of 1 ms.
"""

import ctypes
import socket
import struct
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from threading import Thread
from typing import Any

import bson
from bson import Timestamp

from bench.forms import as_sent, as_stored
from tests.support.database.answers import cursor
from tests.support.database.roles import MONGOS, NO_SIGNATURE
from tests.support.database.wire import MAX_MESSAGE_BYTES, Message, parse_message, write_reply

SENT = "sent"
MAX_FOUND = 10_000  # documents in an answer
BODY = 21  # where the command begins in an OP_MSG: after the header, the flags, and its kind
NAME = BODY + 5  # where its name begins: after its size, and the type of its first field
PR_SET_TIMERSLACK = 29  # https://man7.org/linux/man-pages/man2/PR_SET_TIMERSLACK.2const.html

Documents = Mapping[str, bytes]

_KEYS = [b"\x03%d\0" % index for index in range(MAX_FOUND)]
_NOW = Timestamp(1_700_000_000, 1)
_TIMES = {"$clusterTime": {"clusterTime": _NOW, "signature": NO_SIGNATURE}, "operationTime": _NOW}
_END = bson.encode({"ok": 1.0} | _TIMES)[4:]


class DistantDatabase:
    """Answers commands from documents that were encoded once."""

    def __init__(self, port: int, latency: float, documents: int, body_bytes: int) -> None:
        """`latency` is in seconds."""
        self._port = port
        self._latency = latency
        numbers = range(1, documents + 1)
        self._stored = {str(n): as_stored(n, body_bytes).raw for n in numbers}
        self._sent = {str(n): bson.encode(as_sent(n, body_bytes)) for n in numbers}

    def run(self) -> None:
        """Serve until the process is ended."""
        with socket.create_server(("127.0.0.1", self._port), backlog=1000) as listener:
            while True:
                connection, _ = listener.accept()
                Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with connection, connection.makefile("rb") as incoming:
            while len(head := incoming.read(16)) == 16:
                due = time.perf_counter() + self._latency
                [length] = struct.unpack_from("<i", head)
                if length > MAX_MESSAGE_BYTES:
                    return
                reply = self._answer(head + incoming.read(length - 16))
                time.sleep(max(0.0, due - time.perf_counter()))
                connection.sendall(reply)

    def _answer(self, raw: bytes) -> bytes:
        if raw.startswith(b"find\0", NAME):
            return self._find(raw)
        if raw.startswith(b"update\0", NAME):
            return _reply(raw, _updated(_count_statements(raw)))
        return self._answer_slowly(parse_message(raw))

    def _find(self, raw: bytes) -> bytes:
        command = bson.decode(raw[BODY:])
        wanted = command["filter"]["_id"]
        ids: Sequence[str] = wanted["$in"] if isinstance(wanted, dict) else [wanted]
        documents = self._sent if command["find"] == SENT else self._stored
        found = [documents[id] for id in ids if id in documents]
        elements = b"".join(chain.from_iterable(zip(_KEYS, found, strict=False)))
        namespace = f"{command['$db']}.{command['find']}".encode()
        batch = b"\x04firstBatch\0" + _document(elements)
        name = b"\x02ns\0" + struct.pack("<i", len(namespace) + 1) + namespace + b"\0"
        fields = b"\x03cursor\0" + _document(batch + b"\x12id\0" + bytes(8) + name)
        return _reply(raw, fields + _END[:-1])

    def _answer_slowly(self, message: Message) -> bytes:
        name = next(iter(message.body))
        reply: dict[str, Any] = {"ok": 1.0}
        if name in ("hello", "isMaster", "ismaster"):
            reply = MONGOS.hello(f"127.0.0.1:{self._port}", message.request_id)
        elif name in ("buildInfo", "buildinfo"):
            reply = MONGOS.build_info()
        elif name in ("aggregate", "listCollections", "listIndexes"):
            reply = cursor(f"{message.body['$db']}.{message.body[name]}")
        return write_reply(message, {"ok": 1.0} | reply | _TIMES)


def _count_statements(raw: bytes) -> int:
    """The documents of the sequence (kind 1) that follows the command. Drivers send one always."""
    [size] = struct.unpack_from("<i", raw, BODY)
    position = raw.index(b"\0", BODY + size + 5) + 1
    count = 0
    while position < len(raw):
        [size] = struct.unpack_from("<i", raw, position)
        position += size
        count += 1
    return count


@cache
def _updated(count: int) -> bytes:
    """The fields of an answer: so many documents were there, and were replaced."""
    return bson.encode({"n": count, "nModified": count})[4:-1] + _END[:-1]


def _document(fields: bytes) -> bytes:
    return struct.pack("<i", len(fields) + 5) + fields + b"\0"


def _reply(request: bytes, fields: bytes) -> bytes:
    document = _document(fields)
    length, response_to = BODY + len(document), request[4:8]
    return b"".join(
        [struct.pack("<ii", length, 0), response_to, b"\xdd\x07\0\0\0\0\0\0\0", document]
    )


if __name__ == "__main__":
    if sys.platform == "linux":  # else sleeps take 50 µs longer
        ctypes.CDLL(None).prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
    port, latency_ms, documents, body_bytes = sys.argv[1:]
    DistantDatabase(int(port), float(latency_ms) / 1000, int(documents), int(body_bytes)).run()
