"""Files that never change while the service runs: read once, compressed once, sent from memory.

All responses share the same bytes, so that clients which do not read cost no memory of their own.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

from fastapi import Request, Response

from service.errors import RouteNotFound
from service.web.compression import coding_for, packed
from service.web.headers import header

MIN_PACKED_BYTES = 1400  # a smaller body fits into one packet uncompressed


@dataclass(frozen=True, slots=True)
class _File:
    content: bytes
    headers: dict[str, str]


class StaticFiles:
    """The files of some directories, by their paths in them."""

    def __init__(
        self, directories: Iterable[Path], changes: Mapping[str, Callable[[bytes], bytes]]
    ) -> None:
        """If several directories have the same path, the first one counts. `changes` are
        made to the content of these files when they are read."""
        self._paths: dict[str, Path] = {}
        for directory in directories:
            for path in directory.rglob("*"):
                if path.is_file():
                    self._paths.setdefault(path.relative_to(directory).as_posix(), path)
        self._changes = changes
        self._files: dict[tuple[str, str | None], _File] = {}
        self._lock = asyncio.Lock()

    async def response(
        self, request: Request, name: str, headers: Mapping[str, str] | None = None
    ) -> Response:
        """The file, in the coding that the client prefers, or 304 if it has it (RFC 9110, section
        13.1.2). Raises `RouteNotFound`."""
        if name not in self._paths:
            raise RouteNotFound("Nothing is at this address. See /docs for those that exist.")
        coding = coding_for(request)
        file = self._files.get((name, coding)) or await self._read(name, coding)
        fields = {**file.headers, **(headers or {})}
        known = header(request, b"if-none-match")
        if known is not None and (known.strip() == "*" or file.headers["ETag"] in known):
            return Response(status_code=304, headers=fields)
        return Response(file.content, headers=fields, media_type=guess_type(name)[0])

    async def _read(self, name: str, coding: str | None) -> _File:
        async with self._lock:  # however many clients ask for it first
            file = self._files.get((name, coding))
            if file is None:
                file = await asyncio.to_thread(self._prepare, name, coding)
                self._files[name, coding] = file
            return file

    def _prepare(self, name: str, coding: str | None) -> _File:
        content = self._paths[name].read_bytes()
        if name in self._changes:
            content = self._changes[name](content)
        headers = {"Vary": "Accept-Encoding"}
        if coding is not None and len(content) >= MIN_PACKED_BYTES:
            content = packed(content, coding)
            headers["Content-Encoding"] = coding
        headers["ETag"] = f'"{sha256(content).hexdigest()[:32]}"'
        return _File(content, headers)
