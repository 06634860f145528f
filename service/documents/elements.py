"""The elements of a document as BSON, found without decoding it.

https://bsonspec.org/spec.html
"""

import struct
from collections.abc import Iterator, Sequence

_INT32 = struct.Struct("<i")
_OBJECT = 0x03  # the element type of objects
# The size of a value in bytes by its element type, for types of constant size.
_FIXED_SIZES = {
    0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16,
    0x7F: 0, 0xFF: 0,
}  # fmt: skip
# For types whose values start with a length: the bytes of the value that it does not count.
_LENGTH_EXTRAS = {0x02: 4, 0x03: 0, 0x04: 0, 0x05: 5, 0x0C: 16, 0x0D: 4, 0x0E: 4, 0x0F: 0}


def place_of(document: bytes, path: Sequence[bytes]) -> tuple[int, int] | None:
    """The type of the value at a path, which leads through objects only, and where it starts. None
    if there is no such value."""
    start = 0
    for depth, step in enumerate(path, 1):
        for name, begin, _ in elements_of(document, start):
            if name == step:
                kind, start = document[begin], begin + len(name) + 2
                break
        else:
            return None
        if depth < len(path) and kind != _OBJECT:
            return None
    return kind, start


def elements_of(document: bytes, start: int = 0) -> Iterator[tuple[bytes, int, int]]:
    """Each element of the document, or of the object that starts there: its name, where it starts,
    and where it ends.

    `RawBSONDocument` does not replace this: it drops repeated keys, and encodes deprecated types
    and invalid UTF-8 as others, so that different documents would have the same entity tag.
    """
    position = start + 4
    last = start + _INT32.unpack_from(document, start)[0] - 1
    while position < last:
        name_end = document.index(b"\0", position + 1)
        end = value_end(document, document[position], name_end + 1)
        yield document[position + 1 : name_end], position, end
        position = end


def value_end(document: bytes, kind: int, start: int) -> int:
    size = _FIXED_SIZES.get(kind)
    if size is not None:
        return start + size
    if kind == 0x0B:  # a regular expression: two C strings
        return document.index(b"\0", document.index(b"\0", start) + 1) + 1
    length: int = _INT32.unpack_from(document, start)[0]
    return start + length + _LENGTH_EXTRAS[kind]
