"""Faults of settings in a line each: the setting, the cause, and what would be right."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from service.errors import ConfigurationError

MAX_CAUSE = 400  # characters

WORDS = {
    "int_parsing": "It is a whole number",
    "int_from_float": "It is a whole number",
    "int_parsing_size": "It is a whole number of fewer digits",
    "float_parsing": "It is a number",
    "finite_number": "It is a number",
    "bool_parsing": "It is true or false",
    "greater_than_equal": "It is at least {ge}",
    "less_than_equal": "It is at most {le}",
    "literal_error": "It is {expected}",
    "extra_forbidden": "There is no such key",
    "missing": "It is missing",
    "string_type": "It is a text",
    "bool_type": "It is true or false",
    "dict_type": "It is an object",
    "tuple_type": "It is an array",
    "model_type": "It is an object",
    "string_pattern_mismatch": "It does not match {pattern}",
    "too_long": "It has at most {max_length} entries",
    "string_too_short": "It has at least {min_length} character",
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
