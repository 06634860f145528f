"""Files of documents: lines of JSON, or one JSON array; compressed with gzip if named *.gz."""

import gzip
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import IO, cast

import orjson

from service.client.errors import FileError

CHUNK_BYTES = 1024 * 1024
STANDARD_STREAM = Path("-")
GZIP = b"\x1f\x8b"

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
        or a compressed file ends early, or documents outside an array are not on one line each.
        """
        with self._open() as file:
            chunks = self._chunks(file)
            try:
                first = next(chunks, b"").removeprefix(b"\xef\xbb\xbf")
                if first.startswith(GZIP):
                    raise FileError(f"{self._path} is compressed. Its name has to end with .gz.")
                split = _elements if first.lstrip()[:1] == b"[" else _lines
                if split is _lines and _is_spread_over_lines(first):
                    raise FileError(
                        f"{self._path} has documents that take several lines. Write each on one "
                        f"line (jq -c . {self._path}), or all as a JSON array."
                    )
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
    """Writes a file; `-` is standard output. The file appears when it is complete; else nothing of
    it is left. A symbolic link is followed. Raises `OSError`.

    Equal contents give equal files, compressed ones too.
    """
    if path == STANDARD_STREAM:
        yield sys.stdout.buffer.write
        sys.stdout.buffer.flush()
        return
    path = path.resolve()
    if path.exists() and not path.is_file():
        # A directory, or a device, which must not be replaced by a file.
        with path.open("wb") as raw, _packed(raw, path) as file:
            yield file.write
        return
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as raw:
            with _packed(raw, path) as file:
                yield file.write
            raw.flush()
            os.fsync(raw.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _packed(raw: IO[bytes], path: Path) -> AbstractContextManager[IO[bytes]]:
    """Compresses what is written, if the file is named so."""
    if path.suffix != ".gz":
        return nullcontext(raw)
    packed = gzip.GzipFile("", "wb", 6, raw, mtime=0)
    return cast(AbstractContextManager[IO[bytes]], packed)


def _chain(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from chunks


def _is_spread_over_lines(chunk: bytes) -> bool:
    """Whether the first document is indented, as by `jq`: its first line is only its beginning."""
    lines = [line for line in chunk.lstrip().split(b"\n", 8)[:8] if line.strip()]
    if len(lines) < 2 or lines[0][:1] != b"{" or lines[1].lstrip()[:1] not in (b'"', b"}"):
        return False
    try:
        orjson.loads(lines[0])
    except orjson.JSONDecodeError:
        return True
    return False


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
