"""Responses that are streams of documents."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Send

from service.web.compression import coding_for, pack
from service.web.responses import text_of

CHUNK_BYTES = 64 * 1024


class DocumentStream(StreamingResponse):
    """A stream that releases its resources as soon as the client disconnects."""

    def __init__(self, chunks: AsyncGenerator[bytes, None], **options: Any) -> None:
        super().__init__(chunks, **options)
        self._chunks = chunks

    async def close(self) -> None:
        """Release the resources without sending anything."""
        await self._chunks.aclose()

    async def stream_response(self, send: Send) -> None:
        async with aclosing(self._chunks):
            await super().stream_response(send)


async def stream_response(
    request: Request,
    batches: AsyncGenerator[list[bytes], None],
    line: Callable[[bytes], bytes],
    media_type: str,
) -> DocumentStream:
    """The documents, one per line, each as the JSON that `line` makes of it."""
    lines = _encode(batches, line)
    headers = {"Vary": "Accept, Accept-Encoding"}
    if coding := coding_for(request):
        lines = pack(lines, coding)
        headers["Content-Encoding"] = coding
    if request.method != "HEAD":
        lines = await _begun(lines)
    return DocumentStream(lines, headers=headers, media_type=media_type)


async def _encode(
    batches: AsyncGenerator[list[bytes], None], line: Callable[[bytes], bytes]
) -> AsyncGenerator[bytes, None]:
    """Batches of documents as chunks of lines. They are read no faster than the client reads."""
    async with aclosing(batches):
        async for batch in batches:
            pending: list[bytes] = []
            size = 0
            for document in batch:
                text = await text_of(len(document), line, document)
                pending += (text, b"\n")
                size += len(text)
                if size >= CHUNK_BYTES:
                    yield b"".join(pending)
                    pending, size = [], 0
                    await asyncio.sleep(0)  # let other requests run, however fast the client reads
            if pending:
                yield b"".join(pending)
                await asyncio.sleep(0)


async def _begun(chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    """Wait for the first chunk, so that early errors are raised here; return all chunks."""
    first = await anext(chunks, None)

    async def all_of_them() -> AsyncGenerator[bytes, None]:
        async with aclosing(chunks):
            if first is not None:
                yield first
                async for chunk in chunks:
                    yield chunk

    return all_of_them()
