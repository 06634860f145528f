"""The bytes of a request's body, decompressed and bounded."""

import asyncio
import zlib
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect

from service.errors import (
    BodyTooLarge,
    MalformedCoding,
    RequestTimeout,
    UnsupportedMediaType,
    raises,
)
from service.web.headers import header

CODINGS = "gzip, identity"
UNPACKED_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


@raises(UnsupportedMediaType, BodyTooLarge, RequestTimeout, MalformedCoding)
async def read_chunks(request: Request, limit: int, seconds: float | None) -> AsyncIterator[bytes]:
    """The body as it arrives, without its content coding.

    Raises `BodyTooLarge` as soon as Content-Length or the bytes received exceed `limit`; the server
    discards the rest, so the connection stays usable. Raises `RequestTimeout` when the client sends
    nothing for `seconds`, `UnsupportedMediaType` for a coding that is not supported, and
    `MalformedCoding` for a body that is not encoded as it says.

    FastAPI's own `max_body_size` is not used because it answers in plain text.
    """
    if int(header(request, b"content-length") or 0) > limit:
        raise BodyTooLarge(limit)
    chunks = _received(request, seconds)
    coding = header(request, b"content-encoding")
    if coding is not None:
        match coding.strip().lower():
            case "gzip" | "x-gzip":
                chunks = _unpacked(chunks)
            case "identity":
                pass
            case _:
                raise UnsupportedMediaType(
                    f"The content coding {coding!r} is not supported. Send gzip, or none.",
                    headers={"Accept-Encoding": CODINGS},
                )
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        yield chunk


@raises(read_chunks)
async def read_all(request: Request, limit: int, seconds: float) -> bytes:
    """The whole body, if it arrives within `seconds`. Raises what `read_chunks` raises."""
    try:
        async with asyncio.timeout(seconds):
            return b"".join([chunk async for chunk in read_chunks(request, limit, None)])
    except TimeoutError:
        raise RequestTimeout(seconds) from None


async def _received(request: Request, seconds: float | None) -> AsyncIterator[bytes]:
    more = True
    while more:
        if seconds is None:
            message = await request.receive()
        else:
            try:
                async with asyncio.timeout(seconds):
                    message = await request.receive()
            except TimeoutError:
                raise RequestTimeout(seconds) from None
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        yield message.get("body", b"")
        more = message.get("more_body", False)


async def _unpacked(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The decompressed body, in chunks of bounded size. Gzip can have several members."""
    unpacker = zlib.decompressobj(_GZIP)
    has_begun = False  # with a member
    async for chunk in chunks:
        packed = chunk
        while packed:
            if unpacker.eof:
                unpacker = zlib.decompressobj(_GZIP)
            has_begun = True
            try:
                unpacked = unpacker.decompress(packed, UNPACKED_CHUNK)
            except zlib.error as error:
                raise MalformedCoding(f"The body is not gzip: {error}. Pack it again.") from None
            packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
            if unpacked:
                yield unpacked
    if has_begun and not unpacker.eof:
        raise MalformedCoding("The gzip body ends early. Send all of it.")
