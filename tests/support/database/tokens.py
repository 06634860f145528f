"""Resume tokens as MongoDB makes them: of two the later one is the greater text.

A token is a KeyString in hexadecimal: the cluster time, the version, whether it is of an event, the
place within a transaction, whether it is of an invalidation, and what tells the event.
https://github.com/mongodb/mongo/blob/master/src/mongo/db/pipeline/resume_token.h
"""

import re

from bson import Timestamp

COLLECTION = "5A1004" + "0123456789abcdef0123456789abcdef".upper()
OF_EVENT, OF_HIGH_WATER_MARK = 128, 0
_TOKEN = re.compile(r"82([0-9A-F]{8})([0-9A-F]{8})2B04(29|2C0100)[0-9A-F]*")


def event_token(
    time: Timestamp, key: str, kind: str, index: int = 0, *, invalidates: bool = False
) -> str:
    """Of the event at this place (from 0) of a transaction, or alone. `key` is the `_id`."""
    identifier = (
        f"46{_name('3C', 'operationType')}{_text(kind)}"
        f"{_name('46', 'documentKey')}46{_name('3C', '_id')}{_text(key)}0000"
    )
    return (
        f"82{_time(time)}{_integer(2)}{_integer(OF_EVENT)}{_integer(index)}"
        f"{'6F' if invalidates else '6E'}{COLLECTION}{identifier}04"
    )


def high_water_mark(time: Timestamp) -> str:
    """Before all events of this time, and after all before it."""
    return f"82{_time(time)}{_integer(2)}{_integer(OF_HIGH_WATER_MARK)}{_integer(0)}6E1404"


def is_token(text: str) -> bool:
    return _TOKEN.fullmatch(text) is not None


def is_event(token: str) -> bool:
    match = _TOKEN.fullmatch(token)
    return match is not None and match[3] != "29"


def _time(time: Timestamp) -> str:
    return f"{time.time:08X}{time.inc:08X}"


def _integer(value: int) -> str:
    if value == 0:
        return "29"
    if value < 64:
        return f"2B{value << 1:02X}"
    return f"2C{value << 1:04X}"


def _text(text: str) -> str:
    return f"3C{text.encode().hex().upper()}00"


def _name(kind: str, name: str) -> str:
    """A field of an object: its type, then its name."""
    return f"{kind}{name.encode().hex().upper()}00"
