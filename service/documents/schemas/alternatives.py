"""Which alternative of an `anyOf` or `oneOf` a value was meant to be, as far as that is clear.

A person knows which one they meant, and wants to know what is wrong with it.
"""

from collections.abc import Sequence

from jsonschema_rs import ValidationError, ValidationErrorKind

_UNIONS = (ValidationErrorKind.AnyOf, ValidationErrorKind.OneOfNotValid)
_KEYWORDS_OF_KIND = frozenset({"const", "enum"})
_SHAPES = (
    ValidationErrorKind.Required,
    ValidationErrorKind.AdditionalProperties,
    ValidationErrorKind.UnevaluatedProperties,
    ValidationErrorKind.FalseSchema,
)


def faults_of_meant(error: ValidationError) -> Sequence[ValidationError]:
    """What is wrong with the alternative that was meant; nothing if the error is of another kind,
    or if it is not clear.

    It is the only alternative with the kind of the value: its type, and the `const` or `enum` of
    its members. If there are several, it is the only one of these that has its members.
    """
    if not isinstance(error.kind, _UNIONS):
        return []
    level = len(error.instance_path)
    likely = [faults for faults in error.kind.context if not _is_other_kind(faults, level)]
    if len(likely) > 1:
        likely = [faults for faults in likely if not _has_other_members(faults, level)]
    return likely[0] if len(likely) == 1 else []


def _is_other_kind(faults: Sequence[ValidationError], level: int) -> bool:
    return any(
        (len(fault.instance_path) == level and isinstance(fault.kind, ValidationErrorKind.Type))
        or (len(fault.instance_path) <= level + 1 and _keyword(fault) in _KEYWORDS_OF_KIND)
        for fault in faults
    )


def _has_other_members(faults: Sequence[ValidationError], level: int) -> bool:
    return any(
        len(fault.instance_path) == level and isinstance(fault.kind, _SHAPES) for fault in faults
    )


def _keyword(fault: ValidationError) -> str | None:
    kind = fault.kind
    return kind.keyword if isinstance(kind, ValidationErrorKind.Custom) else None
