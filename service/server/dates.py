"""The `Date` of a response (RFC 9110, section 6.6.1)."""

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache

Field = tuple[bytes, bytes]


def date_field() -> Field:
    """The header field with the present second."""
    return b"date", _http_date(int(time.time()))


def date_line() -> bytes:
    """The header field as a line."""
    return _line(int(time.time()))


@lru_cache(maxsize=1)
def _line(second: int) -> bytes:
    return b"date: %b\r\n" % _http_date(second)


@lru_cache(maxsize=1)
def _http_date(second: int) -> bytes:
    return formatdate(second, usegmt=True).encode()


class _DatedFields(list[Field]):
    """Adds the current date to header fields. uvicorn adds this list to those of each response; its
    own list has a date that is up to a second old."""

    def __add__(self, others: Iterable[Field]) -> list[Field]:  # type: ignore[override]
        return [date_field(), *others]


DATED = _DatedFields()
"""What a response starts with: the date of that moment. An older one could be before the
`Last-Modified` of a document that was just written, which must not be (section 8.8.2.1)."""
