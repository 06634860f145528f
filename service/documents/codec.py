"""Stored documents as JSON: values of BSON types that JSON lacks become relaxed Extended JSON v2.

https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/
"""

import math
import struct
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeAlias

import bson
import orjson
from bson import Code, CodecOptions, Decimal128, Int64, ObjectId, json_util
from bson.raw_bson import RawBSONDocument

from service.documents.layout import DECODE_OPTIONS, METADATA_KEY, Metadata
from service.documents.work import finished

_DUMP = (
    orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
)


Pick: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]
"""Returns a part of a document."""
Dumps: TypeAlias = Callable[[bytes, Metadata | None, Pick | None], bytes]
"""Writes a stored document, with this metadata, or the part of it that is picked: see `dumps`."""

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (as the driver decodes dates: UTC, without saying so)
_DECIMAL = struct.Struct("<QQ")
_UNUSUAL_DECIMAL = 0x6000000000000000

STEP = 10_000
"""Values after which `restored` and `copied` let other work be done."""


class Foreign(dict[str, Any]):
    """The Extended JSON of a BSON value that JSON lacks, together with that value, for a patch that
    looks into it."""

    def __init__(self, value: Any) -> None:
        super().__init__(_extended(value))
        self._value = value
        self._text = self._as_text()

    def restored(self) -> Any:
        """The BSON value, or what a patch has made of its Extended JSON."""
        return self._value if self._text == self._as_text() else dict(self)

    def _as_text(self) -> bytes | None:
        """Differs after any change inside, which `==` would not: 1 is equal to true."""
        try:
            return orjson.dumps(self, default=_extended)
        except orjson.JSONEncodeError:  # a patch has nested too much into it
            return None

    def copied(self) -> "Foreign":
        """A shallow copy."""
        copied = Foreign(self._value)
        copied.clear()
        copied.update(self)
        return copied


_CONTAINERS = frozenset({dict, list, Foreign})
_OF_JSON = frozenset({str, int, bool, type(None), Int64, float}) | _CONTAINERS


def dumps(
    document: bytes,
    metadata: Metadata | None = None,
    pick: Pick | None = None,
    show: Callable[[dict[str, Any]], None] | None = None,
) -> bytes:
    """A stored document, or the part of it that `pick` returns, as JSON, `_id` first. `_stuff` is
    added if the metadata is given.

    Types that JSON lacks become relaxed Extended JSON v2, unless `show` replaces their values by
    others.
    """
    values = decode(document)
    values.pop(METADATA_KEY, None)
    if pick is not None:
        values = pick(values)
    if show is not None:
        show(values)
    if metadata is not None:
        values[METADATA_KEY] = shown(metadata)
    return as_json(values, document)


def as_json(values: dict[str, Any], document: bytes) -> bytes:
    """Values that were decoded from this document, as JSON. Types that JSON lacks become relaxed
    Extended JSON v2."""
    text = orjson.dumps(values, default=_extended, option=_DUMP)
    # orjson writes NaN and Infinity as null; as BSON they end in 7F or FF.
    if (
        (b"\x7f" in document or b"\xff" in document)
        and b"null" in text
        and (finite := _with_non_finite(values)) is not values
    ):
        text = orjson.dumps(finite, default=_extended, option=_DUMP)
    return text


def shown(metadata: Metadata) -> dict[str, str]:
    """`_stuff` as clients see it."""
    values = {"etag": metadata.etag}
    if metadata.updated_at is not None:
        moment = metadata.updated_at.isoformat(timespec="milliseconds")
        values["updated_at"] = moment.replace("+00:00", "Z")
    return values


def is_foreign(value: Any) -> bool:
    """Whether this value of `decode` has a type that JSON lacks."""
    kind = type(value)
    if kind is float:
        return not math.isfinite(value)
    return kind not in _OF_JSON


def restored(value: Any) -> Generator[None, None, Any]:
    """Put the BSON values of `Foreign` in place of those, and return the value. Yields now and
    then, since there may be millions of values."""
    return _renewed(value, lambda part: part.restored() if isinstance(part, Foreign) else part)


def copied(value: Any) -> Generator[None, None, Any]:
    """A copy of a value of `decode`, which may contain `Foreign`. Yields as `restored` does."""
    return _renewed(value, lambda part: part.copied() if isinstance(part, Foreign) else part.copy())


def _renewed(value: Any, renew: Callable[[Any], Any]) -> Generator[None, None, Any]:
    """The value with each object and array in it replaced, from the outside to the inside."""
    root = [value]
    count = 0
    pending: list[tuple[Any, Iterator[tuple[Any, Any]]]] = [(root, enumerate(root))]
    while pending:
        container, items = pending[-1]
        for key, child in items:
            count += 1
            if count % STEP == 0:
                yield
            if type(child) in _CONTAINERS:
                child = container[key] = renew(child)  # noqa: PLW2901
                if child and type(child) in _CONTAINERS:
                    inside = child.items() if isinstance(child, dict) else enumerate(child)
                    pending.append((child, iter(inside)))
                    break
        else:
            pending.pop()
    return root[0]


def outline(value: Any) -> tuple[bytes, bool]:
    """A value of `decode` as JSON, with null for those of types that JSON lacks; and whether it
    contains `Foreign`. Raises `orjson.JSONEncodeError` if it is nested too deep for that."""
    passed: list[Any] = []  # to `append`, which returns None, without a step of the interpreter
    text = orjson.dumps(value, default=passed.append, option=_DUMP)
    return text, Foreign in set(map(type, passed))


def decode(
    document: bytes, options: CodecOptions[dict[str, Any]] = DECODE_OPTIONS
) -> dict[str, Any]:
    """The document's values, in the types of `bson`."""
    if not _may_have_dbrefs(document):
        return bson.decode(document, options)
    return finished(decoded(document, options))


def decoded(
    document: bytes, options: CodecOptions[dict[str, Any]] = DECODE_OPTIONS
) -> Generator[None, None, dict[str, Any]]:
    """As `decode`; yields where other work may be done."""
    if not _may_have_dbrefs(document):
        return bson.decode(document, options)
    raw = RawBSONDocument(document, options.with_options(document_class=RawBSONDocument))
    return (yield from _without_dbrefs(raw))


def _may_have_dbrefs(document: bytes) -> bool:
    """Whether bson would turn some {"$ref", "$id"} into a DBRef, which loses the order of its
    keys."""
    return b"$" in document and b"$ref\0" in document


def _without_dbrefs(document: RawBSONDocument) -> Generator[None, None, dict[str, Any]]:
    values: dict[str, Any] = {}
    count = 0
    pending: list[tuple[Any, Iterator[tuple[Any, Any]]]] = [(values, iter(document.items()))]
    while pending:
        container, items = pending[-1]
        for key, child in items:
            count += 1
            if count % STEP == 0:
                yield
            if isinstance(child, RawBSONDocument):
                inner: dict[str, Any] = {}
                container[key] = inner
                pending.append((inner, iter(child.items())))
                break
            if isinstance(child, list):
                container[key] = array = [None] * len(child)
                pending.append((array, enumerate(child)))
                break
            if isinstance(child, Code) and child.scope is not None:
                scope: dict[str, Any] = {}
                container[key] = Code(str(child), scope)
                pending.append((container[key].scope, iter(child.scope.items())))
                break
            container[key] = child
        else:
            pending.pop()
    return values


def _extended(value: Any) -> Any:
    """A BSON value that orjson does not know, as relaxed Extended JSON."""
    if type(value) is Int64:
        return int(value)
    if type(value) is float:
        name = "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        return {"$numberDouble": name}
    # The driver takes ten times as long for the three most usual types.
    if type(value) is datetime and value.tzinfo is None and value >= _EPOCH:
        precision = "milliseconds" if value.microsecond else "seconds"
        return {"$date": value.isoformat("T", precision) + "Z"}
    if type(value) is ObjectId:
        return {"$oid": str(value)}
    if type(value) is Decimal128 and (text := _decimal_text(value)) is not None:
        return {"$numberDecimal": text}
    return json_util.default(value, json_util.RELAXED_JSON_OPTIONS)


def _decimal_text(value: Decimal128) -> str | None:
    """The number as text, as `str` would write it; None for what is not a usual number.

    https://github.com/mongodb/specifications/blob/master/source/bson-decimal128/decimal128.md
    """
    low, high = _DECIMAL.unpack(value.bid)
    if high & _UNUSUAL_DECIMAL == _UNUSUAL_DECIMAL:
        return None
    coefficient = (high & 0x1FFFFFFFFFFFF) << 64 | low
    if coefficient >= 10**34:  # not canonical
        return None
    exponent = (high >> 49 & 0x3FFF) - 6176
    if exponent == 0:
        return f"-{coefficient}" if high >> 63 else str(coefficient)
    return str(Decimal(f"{'-' if high >> 63 else ''}{coefficient}E{exponent}"))


def _with_non_finite(value: Any) -> Any:
    """The value with NaN and infinities as Extended JSON; the same object if it contains none."""
    if type(value) is float and not math.isfinite(value):
        return _extended(value)
    if type(value) is dict:
        children = {key: _with_non_finite(child) for key, child in value.items()}
        return children if any(children[key] is not value[key] for key in value) else value
    if type(value) is list:
        items = [_with_non_finite(child) for child in value]
        return items if any(a is not b for a, b in zip(items, value, strict=True)) else value
    return value
