"""Decompresses gzip (RFC 1952), in steps of bounded size and work."""

import zlib
from collections.abc import Iterator

from service.errors import MalformedCoding

UNPACKED_CHUNK = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS


class Gunzip:
    """A stream of gzip, which can have several members."""

    PIECE = 4096
    """Bytes to decompress at once. At the end of a member zlib copies what remains, so that the
    work for many small members is the square of this."""

    def __init__(self) -> None:
        self._unpacker = zlib.decompressobj(_GZIP)
        self._has_begun = False  # with a member

    def unpack(self, packed: bytes) -> Iterator[bytes]:
        """What these bytes unpack to, in chunks of at most `UNPACKED_CHUNK`, some of them empty.

        Raises `MalformedCoding`.
        """
        for start in range(0, len(packed), self.PIECE):
            piece = packed[start : start + self.PIECE]
            while piece:
                if self._unpacker.eof:
                    self._unpacker = zlib.decompressobj(_GZIP)
                self._has_begun = True
                try:
                    unpacked = self._unpacker.decompress(piece, UNPACKED_CHUNK)
                except zlib.error as error:
                    raise MalformedCoding(
                        f"The body is not gzip: {error}. Pack it again."
                    ) from None
                is_over = self._unpacker.eof
                piece = self._unpacker.unused_data if is_over else self._unpacker.unconsumed_tail
                yield unpacked

    def finish(self) -> None:
        """Raises `MalformedCoding` if a member is incomplete."""
        if self._has_begun and not self._unpacker.eof:
            raise MalformedCoding("The gzip body ends early. Send all of it.")
