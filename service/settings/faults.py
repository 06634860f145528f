"""Faults of settings in a line each: the setting, the cause, and what would be right."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from service.errors import ConfigurationError

MAX_CAUSE = 400  # characters

WORDS = {
    "int_parsing": "Give a whole number",
    "int_from_float": "Give a whole number",
    "int_parsing_size": "Give a whole number of fewer digits",
    "float_parsing": "Give a number",
    "finite_number": "Give a number",
    "bool_parsing": "Give true or false",
    "greater_than_equal": "Give at least {ge}",
    "less_than_equal": "Give at most {le}",
    "literal_error": "Give {expected}",
    "extra_forbidden": "There is no such key",
    "missing": "It is missing",
    "string_type": "Give a text",
    "bool_type": "Give true or false",
    "dict_type": "Give an object",
    "tuple_type": "Give an array",
    "model_type": "Give an object",
    "string_pattern_mismatch": "Give a text that matches {pattern}",
    "too_long": "Give at most {max_length} entries",
    "too_short": "Give at least {min_length} entry",
    "string_too_short": "Give at least {min_length} character",
}
"""By the type of pydantic's error, with what that has as its context.
https://docs.pydantic.dev/latest/errors/validation_errors/"""


def configuration_error(error: ValidationError) -> ConfigurationError:
    """The first fault. The detail lists the others, one per line."""
    first, *others = (
        ConfigurationError(str(fault["loc"][0]), f"{cause(fault)}.")
        for fault in error.errors(include_input=False)
    )
    if others:
        return ConfigurationError(first.setting, "\n".join([first.detail, *map(str, others)]))
    return first


def cause(fault: ErrorDetails) -> str:
    """What is wrong with a value, without a full stop at the end."""
    if words := WORDS.get(fault["type"]):
        return words.format(**fault.get("ctx", {}))
    said = fault["msg"].removeprefix("Value error, ").rstrip(".")
    half = MAX_CAUSE // 2  # the value may be part of it
    return said if len(said) <= MAX_CAUSE else f"{said[:half]} ... {said[-half:]}"
