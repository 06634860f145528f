"""The command line: `stuff`."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, cast

import typer
from typer.core import TyperGroup
from typer.main import get_command

from service import __version__
from service.cli.flags import without_values
from service.cli.lazy import LazyCommand
from service.client.errors import ClientError
from service.errors import ConfigurationError, EngineError

COMMANDS = {
    "serve": ("serving:serve", "Serve the store until SIGTERM or Ctrl-C."),
    "openapi": ("serving:openapi", "Write the OpenAPI document."),
    "get": ("documents:get", "Show a document."),
    "put": ("documents:put", "Store a document."),
    "delete": ("documents:delete", "Delete a document."),
    "ls": ("documents:ls", "List the ids of documents, one per line; with --fields, JSON."),
    "watch": ("watch:watch", "Print changes to documents as they happen, until Ctrl-C."),
    "export": ("transfer:export_documents", "Write documents to a file, sorted by their ids."),
    "import": ("transfer:import_documents", "Store the documents of a file."),
    "check": (
        "checking:check",
        "List the documents that do not fit the schema of their collection.",
    ),
    "introspect": (
        "introspecting:introspect",
        "Write a file that declares the collections of a database, with schemas of their "
        "documents.",
    ),
    "index": ("indexes:app", "Manage the indexes of a collection."),
    "key": ("keys:app", "Manage API keys."),
}
"""What `stuff --help` lists, without importing any of the commands: the place of each in this
package, and the first paragraph of its help."""

app = typer.Typer(name="stuff", no_args_is_help=True, add_completion=False)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stuff {__version__}")
        raise typer.Exit


@app.callback(
    help=(
        "An HTTP JSON document store on MongoDB, and a client of it.\n\n"
        "Every option of `serve` is a setting too, read from the environment: --data-dir is "
        "STUFF_DATA_DIR. The commands for documents talk to the server at --url, or STUFF_URL, "
        "with the API key in STUFF_KEY if it needs one."
    )
)
def root(
    version: Annotated[  # noqa: ARG001 (its callback uses it)
        bool,
        typer.Option(
            "--version", is_eager=True, callback=_show_version, help="Show the version and exit."
        ),
    ] = False,
    url: Annotated[
        str | None,
        typer.Option("--url", help="The server, for commands that have --url.", show_default=False),
    ] = None,
) -> None:
    """Options of all commands."""
    if url is not None:
        os.environ["STUFF_URL"] = url


stuff = cast(TyperGroup, without_values(get_command(app)))
stuff.commands.update(
    (name, LazyCommand(name, f"{__name__}.{place}", help))
    for name, (place, help) in COMMANDS.items()
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command; without arguments, that of the process. Raises `SystemExit`."""
    try:
        stuff(arguments, prog_name="stuff")
    except ConfigurationError as error:
        typer.echo(error, err=True)
        sys.exit(2)
    except (ClientError, EngineError) as error:
        typer.echo(f"stuff: {error}", err=True)
        sys.exit(1)
