"""Files of documents: lines of JSON, or one JSON array; compressed with gzip if named *.gz."""

import gzip
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, cast

from service.client.errors import FileError

CHUNK_BYTES = 1024 * 1024
STANDARD_STREAM = Path("-")

_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_SIGN = re.compile(rb'["\[\]{},]')


class DocumentFile:
    """The documents of a file; `-` is standard input."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._raw: IO[bytes] | None = None
        self.position = 0
        """Number of bytes of the file that have been read."""

    @property
    def size(self) -> int | None:
        """Size of the file in bytes, None for a stream."""
        return self._path.stat().st_size if self._path.is_file() else None

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Each line of the file, or each element of its array, with its number from 1.

        Elements of an array are put on one line each. Raises `OSError`, and `FileError` if an array
        or a compressed file ends early.
        """
        with self._open() as file:
            chunks = self._chunks(file)
            try:
                first = next(chunks, b"").removeprefix(b"\xef\xbb\xbf")
                split = _elements if first.lstrip()[:1] == b"[" else _lines
                yield from enumerate(split(_chain(first, chunks)), 1)
            except (EOFError, gzip.BadGzipFile) as error:
                raise FileError(f"{self._path} is damaged: {error}") from None

    def _chunks(self, file: IO[bytes]) -> Iterator[bytes]:
        while chunk := file.read(CHUNK_BYTES):
            self.position = len(chunk) + self.position if self._raw is None else self._raw.tell()
            yield chunk

    @contextmanager
    def _open(self) -> Iterator[IO[bytes]]:
        if self._path == STANDARD_STREAM:
            yield sys.stdin.buffer
            return
        with self._path.open("rb") as self._raw:
            if self._path.suffix == ".gz":
                with gzip.GzipFile(fileobj=self._raw) as packed:
                    yield cast(IO[bytes], packed)
            else:
                yield self._raw


@contextmanager
def target(path: Path) -> Iterator[Callable[[bytes], object]]:
    """Writes a file; `-` is standard output. The file appears when it is complete.

    Equal contents give equal files, compressed ones too.
    """
    if path == STANDARD_STREAM:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    part = path.with_name(path.name + ".part")
    with part.open("wb") as raw:
        packed = path.suffix == ".gz"
        with gzip.GzipFile("", "wb", 6, raw, mtime=0) if packed else nullcontext(raw) as file:
            yield file.write
        raw.flush()
        os.fsync(raw.fileno())
    part.replace(path)


def _chain(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from chunks


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest: list[bytes] = []
    for chunk in chunks:
        head, *tail = chunk.split(b"\n")
        rest.append(head)
        for start in tail:
            yield b"".join(rest)
            rest = [start]
    if last := b"".join(rest):
        yield last


def _elements(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The elements of a JSON array, each on one line, otherwise as they are written."""
    buffer = b""
    position = start = depth = 0
    is_first = True
    for chunk in chunks:
        buffer = buffer[start:] + chunk
        position, start = position - start, 0
        while sign := _SIGN.search(buffer, position):
            match sign[0]:
                case b'"':
                    string = _STRING.match(buffer, sign.start())
                    if string is None:
                        break  # the string ends in a later chunk
                    position = string.end()
                    continue
                case b"[" | b"{":
                    depth += 1
                    if depth == 1:
                        start = sign.end()
                case b"]" | b"}":
                    depth -= 1
                    if depth == 0:
                        last = _line(buffer[start : sign.start()])
                        if last or not is_first:
                            yield last or b","
                        if buffer[sign.end() :].strip() or any(map(bytes.strip, chunks)):
                            raise FileError("Something follows the end of the JSON array.")
                        return
                case _ if depth == 1:
                    # Nothing between two commas: yield a comma, which the server refuses.
                    yield _line(buffer[start : sign.start()]) or b","
                    is_first = False
                    start = sign.end()
            position = sign.end()
        else:
            position = len(buffer)
    raise FileError("The JSON array ends early.")


def _line(element: bytes) -> bytes:
    # A carriage return is whitespace too, and also invalid inside a string: no fault is repaired.
    return element.strip().replace(b"\n", b"\r")
