"""Entity tags and conditional requests (RFC 9110, sections 8.8 and 13)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

from service.errors import InvalidPrecondition, PreconditionFailed

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_SEPARATOR = re.compile(r"[ \t]*(?:,[ \t]*)+|[ \t]*$")


EXTENDED = ".ejson"
"""The end of the tags of representations in Extended JSON."""


class Validated(Protocol):
    """Anything with validators: an opaque tag, one that covers the time of the last change too, and
    that time if it is known."""

    @property
    def etag(self) -> str: ...
    @property
    def dated_etag(self) -> str: ...
    @property
    def updated_at(self) -> datetime | None: ...


@dataclass(frozen=True, slots=True)
class EntityTags:
    """The value of `If-Match` or `If-None-Match`: `*`, or a list of tags, some of them weak."""

    strong: frozenset[str] = frozenset()
    weak: frozenset[str] = frozenset()
    any: bool = False

    def match_strongly(self, *etags: str) -> bool:
        return self.any or not self.strong.isdisjoint(etags)

    def match_weakly(self, *etags: str) -> bool:
        return self.match_strongly(*etags) or not self.weak.isdisjoint(etags)


@dataclass(frozen=True, slots=True)
class Preconditions:
    """The conditions of a request on the current state of the document; by default, none."""

    if_match: EntityTags | None = None
    if_none_match: EntityTags | None = None
    if_modified_since: datetime | None = None
    if_unmodified_since: datetime | None = None

    def guard_writes(self) -> bool:
        """Whether there is anything to check before a write."""
        return not (
            self.if_match is None
            and self.if_none_match is None
            and self.if_unmodified_since is None
        )

    def compare_content(self) -> bool:
        """Whether the outcome of a write tells what is stored, not only whether there is a
        document: whoever sends the entity tag of a guess learns whether it is right."""
        tags = (self.if_match, self.if_none_match)
        return self.if_unmodified_since is not None or any(
            each is not None and not each.any for each in tags
        )

    def check(self, current: Validated | None) -> None:
        """Raise `PreconditionFailed` unless a write may proceed. `current` is None for no document.

        The order of evaluation is that of RFC 9110, section 13.2.2.
        """
        self._check_match(current)
        if self.if_none_match is not None and current is not None:
            if self.if_none_match.any:
                raise PreconditionFailed(
                    "The document exists already. Leave If-None-Match out to replace it.",
                    current.etag,
                )
            if self.if_none_match.match_weakly(*_tags(current)):
                raise PreconditionFailed("The document has one of these entity tags.", current.etag)

    def allow_reading(self, current: Validated, etag: str) -> bool:
        """Whether to answer a read in full; otherwise the client has the document already (304).

        `etag` is the tag of the representation that would be sent. Raises `PreconditionFailed`.
        """
        self._check_match(current)
        if self.if_none_match is not None:
            # A client with the dated representation has the other one too, but not the reverse.
            dated = current.dated_etag + (EXTENDED if etag.endswith(EXTENDED) else "")
            return not self.if_none_match.match_weakly(etag, dated)
        if self.if_modified_since is not None and current.updated_at is not None:
            return current.updated_at.replace(microsecond=0) > self.if_modified_since
        return True

    def _check_match(self, current: Validated | None) -> None:
        if self.if_match is not None:
            if current is None:
                raise PreconditionFailed("There is no document to match.", None)
            if not self.if_match.match_strongly(*_tags(current)):
                raise PreconditionFailed(
                    "The document has changed. Read it again and apply your change to it.",
                    current.etag,
                )
        elif self.if_unmodified_since is not None:
            modified = current.updated_at if current is not None else None
            if modified is not None and modified.replace(microsecond=0) > self.if_unmodified_since:
                raise PreconditionFailed(
                    "The document has changed since. Read it again and apply your change to it.",
                    current.etag if current is not None else None,
                )


def _tags(current: Validated) -> tuple[str, ...]:
    """The tags of all representations of the whole document."""
    plain = (current.etag, current.dated_etag)
    return (*plain, *(tag + EXTENDED for tag in plain))


NO_PRECONDITIONS = Preconditions()


def parse_preconditions(headers: Mapping[str, str]) -> Preconditions:
    """The preconditions in the header fields of a request, whose names are in lower case.

    Raises `InvalidPrecondition` for malformed entity tags. Malformed dates are ignored
    (RFC 9110, sections 13.1.3 and 13.1.4).
    """
    return Preconditions(
        _parse_tags(headers, "if-match"),
        _parse_tags(headers, "if-none-match"),
        _parse_date(headers.get("if-modified-since")),
        _parse_date(headers.get("if-unmodified-since")),
    )


def _parse_tags(headers: Mapping[str, str], name: str) -> EntityTags | None:
    value = headers.get(name)
    if value is None:
        return None
    value = value.strip(" \t,")
    if value == "*":
        return EntityTags(any=True)
    weak: set[str] = set()
    strong: set[str] = set()
    position = 0
    while position < len(value) or not (weak or strong):
        tag = _TAG.match(value, position)
        end = _SEPARATOR.match(value, tag.end()) if tag else None
        if tag is None or end is None:
            raise InvalidPrecondition(
                name, 'Give * or a list of entity tags in double quotes, such as "abc", W/"def".'
            )
        (weak if tag[1] else strong).add(tag[2])
        position = end.end()
    return EntityTags(frozenset(strong), frozenset(weak))


def _parse_date(value: str | None) -> datetime | None:
    if value is None:
        return None
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    return date.replace(tzinfo=UTC) if date.tzinfo is None else date
