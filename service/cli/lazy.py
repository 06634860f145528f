"""Commands that are imported only when they are called, since most need little of the service."""

from pkgutil import resolve_name
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_command

from service.cli.flags import without_values


class LazyCommand(TyperCommand):
    """A command or a group of commands that can be listed without being imported."""

    def __init__(self, name: str, place: str, help: str) -> None:
        """`place` is `module:name` of a function with Typer's annotations, or of a `typer.Typer`
        that has several commands."""
        super().__init__(name=name, help=help)
        self._place = place

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """The context of the real command, which parses, shows its own help, and runs."""
        return self.load().make_context(*arguments, **options)

    def load(self) -> Any:
        """Import the command, as Typer makes it."""
        app = resolve_name(self._place)
        if not isinstance(app, typer.Typer):
            function, app = app, typer.Typer(add_completion=False)
            app.command()(function)
        return without_values(get_command(app))
