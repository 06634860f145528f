"""MongoDB's wire protocol, as far as a server of tests needs it: no compression, no checksums.

https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/
"""

import asyncio
import struct
from collections.abc import Mapping, Set
from dataclasses import dataclass
from typing import Any

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.raw_bson import RawBSONDocument

OP_REPLY, OP_QUERY, OP_MSG = 1, 2004, 2013
CHECKSUM_PRESENT, MORE_TO_COME = 1, 2
MAX_MESSAGE_BYTES = 48_000_000

# Any date that a document may hold, and each binary value as the bytes that it is.
CODEC: CodecOptions[dict[str, Any]] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO
)


class ProtocolFault(Exception):
    """The bytes are no message that this server understands."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message: its bytes as they came, and the command or the reply that it carries.

    The documents of sequences (kind 1) are in the body under the sequence's identifier, where the
    server puts them too.
    """

    request_id: int
    opcode: int
    raw: bytes
    body: dict[str, Any]
    more_to_come: bool = False
    """The sender expects no answer."""
    sequences: frozenset[str] = frozenset()
    """The fields of the body that came as sequences."""


async def read_message(reader: asyncio.StreamReader) -> Message:
    """The next message. Raises `IncompleteReadError` at the end of the connection."""
    head = await reader.readexactly(16)
    [length] = struct.unpack_from("<i", head)
    if not 16 < length <= MAX_MESSAGE_BYTES:
        raise ProtocolFault(f"a message of {length} bytes")
    return parse_message(head + await reader.readexactly(length - 16))


def parse_message(raw: bytes) -> Message:
    """The message that these bytes are. Raises `ProtocolFault`."""
    _, request_id, _, opcode = struct.unpack_from("<iiii", raw)
    payload = raw[16:]
    match opcode:
        case 2013:
            flags, body, sequences = _read_sections(payload)
            return Message(
                request_id, opcode, raw, body, bool(flags & MORE_TO_COME), frozenset(sequences)
            )
        case 2004:
            return Message(request_id, opcode, raw, _read_query(payload))
        case 1:  # flags, cursor, start and count come before the document
            return Message(request_id, opcode, raw, _decode(payload[20:]))
        case _:
            raise ProtocolFault(f"the operation code {opcode}")


def write_reply(request: Message, reply: Mapping[str, Any]) -> bytes:
    """The bytes that answer a request, in the protocol in which it was asked."""
    document = bson.encode(reply)
    if request.opcode == OP_QUERY:
        opcode, payload = OP_REPLY, struct.pack("<iqii", 8, 0, 0, 1) + document
    else:
        opcode, payload = OP_MSG, struct.pack("<IB", 0, 0) + document
    return _frame(request.request_id, opcode, payload)


def without(reply: Message, fields: Set[str]) -> bytes:
    """A reply (OP_MSG) without these fields; all else stays as it is to the byte."""
    document = RawBSONDocument(reply.raw[21:])
    kept = {name: value for name, value in document.items() if name not in fields}
    [_, _, response_to] = struct.unpack_from("<iii", reply.raw)
    return _frame(response_to, OP_MSG, struct.pack("<IB", 0, 0) + bson.encode(kept))


def _frame(response_to: int, opcode: int, payload: bytes) -> bytes:
    return struct.pack("<iiii", 16 + len(payload), 0, response_to, opcode) + payload


def _read_sections(payload: bytes) -> tuple[int, dict[str, Any], list[str]]:
    """The flags, the command with the documents of its sequences, and the sequences' names."""
    [flags] = struct.unpack_from("<I", payload)
    if flags & CHECKSUM_PRESENT:
        raise ProtocolFault("a checksum, which no hello has offered")
    body: dict[str, Any] | None = None
    sequences: dict[str, list[dict[str, Any]]] = {}
    position = 4
    while position < len(payload):
        kind = payload[position]
        [size] = struct.unpack_from("<i", payload, position + 1)
        section = payload[position + 1 : position + 1 + size]
        position += 1 + size
        if kind == 0 and body is None:
            body = _decode(section)
        elif kind == 1:
            end = section.index(b"\0", 4)
            documents = bson.decode_all(section[end + 1 :], CODEC)
            sequences[section[4:end].decode()] = documents
        else:
            raise ProtocolFault(f"a section of kind {kind}")
    if body is None:
        raise ProtocolFault("no body")
    if both := body.keys() & sequences.keys():
        raise ProtocolFault(f"{sorted(both)} twice")
    return flags, body | sequences, list(sequences)


def _read_query(payload: bytes) -> dict[str, Any]:
    """A command as drivers ask it before they know the server: OP_QUERY of `$cmd`."""
    end = payload.index(b"\0", 4)
    database, _, collection = payload[4:end].decode().partition(".")
    if collection != "$cmd":
        raise ProtocolFault("a query that is no command, which MongoDB 5.1 removed")
    body = _decode(payload[end + 9 :])
    return body | {"$db": database}


def _decode(data: bytes) -> dict[str, Any]:
    return bson.decode(data, CODEC)
