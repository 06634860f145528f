"""Help that shows flags without a value."""

from typing import Any

import typer
from typer.core import TyperOption


def without_values(command: Any) -> Any:
    """The command, or group of commands, whose help shows `--meta` and `--help`, not `--meta
    <bool>`, since a flag takes no value."""
    for parameter in command.get_params(typer.Context(command)):
        if isinstance(parameter, TyperOption) and parameter.is_flag:
            parameter.metavar = ""
    for each in getattr(command, "commands", {}).values():
        without_values(each)
    return command
