"""Commands, as `stuff --help` shows them."""

from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperArgument

from docs._reference.markdown import code, codes, document, plain, table
from service.cli import COMMANDS, stuff

INTRODUCTION = """\
`stuff COMMAND --help` shows the same. Commands that talk to a server take its address from `--url`
or `STUFF_URL`, and the API key from `STUFF_KEY`. The exit status is 0 if everything was done, 1 if
it was not, and 2 if the command cannot be understood; the reason is a line on standard error."""


def page() -> str:
    sections = [
        _section(f"stuff {name}", command)
        for each in COMMANDS
        for name, command in _commands(each, stuff.commands[each])
    ]
    return document("Command line", INTRODUCTION, *sections)


def _commands(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """The command, or those of the group."""
    command = command.load() if hasattr(command, "load") else command
    for each, inner in getattr(command, "commands", {}).items():
        yield from _commands(f"{name} {each}", inner)
    if not hasattr(command, "commands"):
        yield name, command


def _section(name: str, command: Any) -> str:
    context = typer.Context(command, info_name=name)
    usage = " ".join(command.collect_usage_pieces(context))
    rows = [
        [_shown(parameter), _default(parameter), parameter.help or ""]
        for parameter in command.params
    ]
    paragraphs = [plain(each) for each in (command.help or "").split("\n\n")]
    options = [table(["argument or option", "default", "meaning"], rows)] if rows else []
    return "\n\n".join([f"## {name}", code(f"{name} {usage}"), *paragraphs, *options])


def _shown(parameter: Any) -> str:
    if isinstance(parameter, TyperArgument):
        return code(parameter.name.upper())
    return codes([*parameter.opts, *parameter.secondary_opts])


def _default(parameter: Any) -> str:
    value = parameter.default
    if value is None or value is False or value == "" or callable(value):
        return ""
    return code(value)
