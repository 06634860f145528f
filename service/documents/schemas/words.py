"""What is wrong with a value, in words for people: what to send instead, never the value itself."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import orjson
from jsonschema_rs import ValidationError, ValidationErrorKind

from service.documents.schemas.alternatives import faults_of_meant

MAX_SHOWN = 200
"""Characters of a part of the schema that are shown, such as the values of an enumeration."""
FORMATS = {
    "date": "a date such as 2026-01-31",
    "date-time": "a time such as 2026-01-31T12:00:00Z",
    "time": "a time of day such as 12:00:00Z",
    "duration": "a duration such as P3D",
    "email": "an email address",
    "hostname": "the name of a host",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "uri": "an address such as https://example.com/a",
    "uuid": "a UUID",
    "regex": "a regular expression without lookaround and references, which take too long",
}
ARTICLES = {"array": "an array", "integer": "an integer", "object": "an object", "null": "null"}

_UNEXPECTED = (
    ValidationErrorKind.AdditionalProperties,
    ValidationErrorKind.UnevaluatedProperties,
)

Words = Callable[[Any], str]


def _count(word: str, bound: str) -> Words:
    return lambda kind: (
        f"Give at {bound} {kind.limit:,} {word if kind.limit == 1 else f'{word}s'}."
        if word != "property"
        else f"Give at {bound} {kind.limit:,} {'field' if kind.limit == 1 else 'fields'}."
    )


_WORDS: dict[str, Words] = {
    "Type": lambda kind: (
        f"Give {_either([ARTICLES.get(t, f'a {t}') for t in sorted(kind.types)])}."
    ),
    "Required": lambda kind: f"The field {shown(kind.property)} is missing.",
    "FalseSchema": lambda _: "There is no such field here. Leave it out.",
    "Format": lambda kind: (
        f"Give {FORMATS.get(kind.format, f'a value of the format {kind.format}')}."
    ),
    "Pattern": lambda kind: f"Give a text that matches {_shortened(kind.pattern)}.",
    "MinLength": _count("character", "least"),
    "MaxLength": _count("character", "most"),
    "MinItems": _count("element", "least"),
    "MaxItems": _count("element", "most"),
    "MinProperties": _count("property", "least"),
    "MaxProperties": _count("property", "most"),
    "MultipleOf": lambda kind: f"Give a multiple of {kind.multiple_of}.",
    "Contains": lambda _: "Too few or too many elements are as the schema wants some to be.",
    "AdditionalItems": lambda _: "There are too many elements.",
    "UnevaluatedItems": lambda _: "There are too many elements.",
    "PropertyNames": lambda _: "The name of a field is not allowed.",
    "AnyOf": lambda _: "The value fits none of the alternatives of the schema.",
    "OneOfNotValid": lambda _: "The value fits none of the alternatives of the schema.",
    "OneOfMultipleValid": lambda _: "The value fits several alternatives of the schema, not one.",
    "Not": lambda _: "The value is one that the schema excludes.",
}


def explained(error: ValidationError) -> Iterator[tuple[list[str | int], str]]:
    """The places of a fault, and what is wrong there, in a sentence."""
    if meant := faults_of_meant(error):
        for fault in meant:
            yield from explained(fault)
        return
    unexpected = getattr(error.kind, "unexpected", None)
    if isinstance(error.kind, _UNEXPECTED) and unexpected:
        for name in unexpected:
            yield [*error.instance_path, name], "There is no such field here. Leave it out."
    else:
        yield [*error.instance_path], explain(error)


def explain(error: ValidationError) -> str:
    """What is wrong there, in a sentence."""
    kind = error.kind
    if isinstance(kind, ValidationErrorKind.Custom):
        return error.message
    words = _WORDS.get(type(kind).__name__)
    if words is not None:
        return words(kind)
    text = _shortened(error.message)
    return f"{text[:1].upper()}{text[1:].removesuffix('.')}."


def _typed(name: str) -> str:
    return ARTICLES.get(name, f"a {name}")


def shown(value: Any) -> str:
    return _shortened(orjson.dumps(value).decode())


def _shortened(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}..."


def list_of(values: Sequence[Any]) -> str:
    shown = ", ".join(orjson.dumps(value).decode() for value in values[:50])
    return _shortened(shown)


def _either(words: Sequence[str]) -> str:
    return " or ".join(words)
