"""Streams of documents, and what the client takes of them."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

from service.errors import NotAcceptable
from service.routers.bodies import header

CHUNK_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
GZIP_LEVEL = 4  # text packs nearly as well as at 6, at two thirds of the cost


def choose(request: Request, available: list[str]) -> str:
    """The media type that the client likes best of those available (RFC 9110, section 12.5.1).

    Raises `NotAcceptable`.
    """
    accept = header(request, b"accept")
    if accept is None:
        return available[0]
    accept = ",".join(request.headers.getlist("accept"))
    best = max(available, key=lambda media_type: _quality(accept, _ranges(media_type)))
    if _quality(accept, _ranges(best)) == 0:
        raise NotAcceptable(
            f"None of what {accept!r} lists is available here: {', '.join(available)}.",
            headers={"Vary": "Accept"},
        )
    return best


def takes_gzip(request: Request) -> bool:
    """Whether the client takes a body packed by gzip (RFC 9110, section 12.5.3)."""
    sent = ",".join(request.headers.getlist("accept-encoding"))
    return _quality(sent, ["gzip", "x-gzip", "*"]) > 0


def _ranges(media_type: str) -> list[str]:
    return [media_type, media_type.partition("/")[0] + "/*", "*/*"]


def _quality(header: str, names: list[str]) -> float:
    """The weight that a list of preferences gives to the first of the names that is in it."""
    weights: dict[str, float] = {}
    for element in header.split(","):
        name, *parameters = (part.strip().lower() for part in element.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        weights.setdefault(name, weight)
    return next((weights[name] for name in names if name in weights), 0.0)


class DocumentStream(StreamingResponse):
    """A stream that is given up as soon as the client is gone, with all that it holds."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], **options: Any) -> None:
        super().__init__(chunks, **options)
        self._chunks = chunks

    async def close(self) -> None:
        """Have nothing to send."""
        await self._chunks.aclose()

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._chunks):
            await super().stream_response(send)


async def encode(
    batches: AsyncGenerator[list[bytes], None], line: Callable[[bytes], bytes]
) -> AsyncGenerator[bytes, None]:
    """Batches of documents as chunks of lines. The client's pace is that of the database."""
    async with aclosing(batches):
        async for batch in batches:
            for chunk in _chunks(map(line, batch)):
                yield chunk
                await asyncio.sleep(0)  # others have their turn, however fast the client reads


def _chunks(lines: Iterable[bytes]) -> Iterable[bytes]:
    pending: list[bytes] = []
    size = 0
    for line in lines:
        pending += (line, b"\n")
        size += len(line)
        if size >= CHUNK_BYTES:
            yield b"".join(pending)
            pending, size = [], 0
    if pending:
        yield b"".join(pending)


async def pack(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The chunks, packed by gzip."""
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, _GZIP)
    async with aclosing(chunks):
        async for chunk in chunks:
            if packed := packer.compress(chunk):
                yield packed
    yield packer.flush()


async def begun(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """The same chunks, the first of which has been made: what fails at once has failed by now."""
    first = await anext(chunks, None)

    async def all_of_them() -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks):
            if first is not None:
                yield first
                async for chunk in chunks:
                    yield chunk

    return all_of_them()
