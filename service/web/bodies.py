"""The bytes of a request's body, decompressed and bounded."""

import asyncio
from collections.abc import AsyncIterator

from fastapi import Request
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from service.errors import (
    BodyTooLarge,
    MalformedCoding,
    Overloaded,
    RequestTimeout,
    UnsupportedMediaType,
    raises,
)
from service.store.budget import CHUNK_OVERHEAD, FREE, Budget, Claim
from service.web.gunzip import Gunzip
from service.web.headers import header

CODINGS = "gzip, identity"
SLICE = 1024 * 1024
"""Decompressed bytes after which other requests run."""
_CLAIM = "stuff.claim"
ARRIVED = "stuff.body"
"""In the scope of ASGI: a small body that has arrived together with the head, put there by the
server. Nothing has to wait for it, so it needs no time limit."""


@raises(UnsupportedMediaType, BodyTooLarge, RequestTimeout, MalformedCoding)
async def read_chunks(request: Request, limit: int, seconds: float | None) -> AsyncIterator[bytes]:
    """The body as it arrives, without its content coding.

    Raises `BodyTooLarge` as soon as Content-Length or the bytes received exceed `limit`; the server
    discards the rest, so the connection stays usable. Raises `RequestTimeout` when the client sends
    nothing for `seconds`, `UnsupportedMediaType` for a coding that is not supported, and
    `MalformedCoding` for a body that is not encoded as it says.

    FastAPI's own `max_body_size` is not used because it answers in plain text.
    """
    is_packed = _is_packed(request, limit)
    chunks = _received(request, seconds)
    size = 0
    async for chunk in _unpacked(chunks) if is_packed else chunks:
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        yield chunk


@raises(read_chunks, Overloaded)
async def read_all(request: Request, limit: int, seconds: float, budget: Budget) -> bytes:
    """The whole body, if it arrives within `seconds`. Raises what `read_chunks` raises, and
    `Overloaded` if the budget does not suffice.

    A compressed body is decompressed when it has arrived: a client that stops sending holds only
    what it has sent.
    """
    is_packed = _is_packed(request, limit)
    arrived: bytes | None = request.scope.get(ARRIVED)
    if arrived is not None and not is_packed:
        if len(arrived) > limit:
            raise BodyTooLarge(limit)
        return arrived
    try:
        async with asyncio.timeout(seconds):
            body = await _collected(_received(request, None), limit, request, budget)
            if is_packed:
                body = await _collected(_unpacked(_once(body)), limit, request, budget, len(body))
    except TimeoutError:
        raise RequestTimeout(seconds) from None
    return body


def claim_of(request: Request, budget: Budget) -> Claim:
    """The claim for what this request holds until its end."""
    claim: Claim | None = request.scope.get(_CLAIM)
    if claim is None:
        claim = request.scope[_CLAIM] = budget.claim_of_request()
    return claim


def release_claim(scope: Scope) -> None:
    """Release what the request holds, if anything."""
    claim: Claim | None = scope.get(_CLAIM)
    if claim is not None:
        claim.release()


def _is_packed(request: Request, limit: int) -> bool:
    """Whether the body is compressed. Raises `UnsupportedMediaType` and `BodyTooLarge`."""
    if int(header(request, b"content-length") or 0) > limit:
        raise BodyTooLarge(limit)
    coding = header(request, b"content-encoding")
    if coding is None:
        return False
    match coding.strip().lower():
        case "gzip" | "x-gzip":
            return True
        case "identity":
            return False
        case _:
            raise UnsupportedMediaType(
                f"The content coding {coding!r} is not supported. Send gzip, or none.",
                headers={"Accept-Encoding": CODINGS},
            )


async def _collected(
    chunks: AsyncIterator[bytes], limit: int, request: Request, budget: Budget, held: int = 0
) -> bytes:
    """All chunks as one. `held` are the bytes that the request holds already."""
    collected: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge(limit)
        collected.append(chunk)
        in_memory = held + size + CHUNK_OVERHEAD * len(collected)
        if in_memory > FREE:
            claim_of(request, budget).hold(in_memory)
    return b"".join(collected)


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


async def _once(chunk: bytes) -> AsyncIterator[bytes]:
    yield chunk


async def _unpacked(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The decompressed body, in chunks of bounded size."""
    gunzip = Gunzip()
    async for chunk in chunks:
        work = 0
        for unpacked in gunzip.unpack(chunk):
            if unpacked:
                yield unpacked
            work += gunzip.PIECE + len(unpacked)
            if work > SLICE:
                work = 0
                await asyncio.sleep(0)  # let other requests run
    gunzip.finish()
