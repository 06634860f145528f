"""`stuff key`: API keys in a file, by default the one of STUFF_API_KEYS_FILE."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import fail, unusable
from service.security import KeyFault, KeyFile, is_scope, make_key

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Manage API keys.")

File = Annotated[
    Path | None,
    typer.Option(
        envvar="STUFF_API_KEYS_FILE",
        help="The file of keys. It holds hashes, not the keys themselves.",
    ),
]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="A name that says who uses the key.")] = "",
    scopes: Annotated[
        str,
        typer.Option(
            help="What the key allows: read, write or both; in one collection only, read:NAME and "
            "write:NAME."
        ),
    ] = "read,write",
    file: File = None,
) -> None:
    """Create a key and print it. It cannot be shown again.

    With --file, a line with the hash of the key is added to the file, and services that use the
    file accept the key within a second. Without, the line is printed for use in STUFF_API_KEYS.
    """
    wanted = scopes.split(",")
    if not all(map(is_scope, wanted)):
        raise fail(
            "The scopes are read and write, or for one collection read:NAME and write:NAME, "
            "separated by commas.",
            2,
        )
    try:
        token, key = make_key(wanted, name)
    except KeyFault as fault:
        raise fail(str(fault), 2) from None
    if file is not None:
        with _key_file(file) as keys:
            keys.add(key)
    typer.echo(token)
    typer.echo(f"For STUFF_API_KEYS: {key}" if file is None else f"Added to {file}.", err=True)


@app.command("list")
def list_all(file: File = None) -> None:
    """List the id, the scopes and the name of each key."""
    with _key_file(file) as keys:
        known = keys.read()
    for key in known:
        typer.echo(f"{key.id} {','.join(sorted(key.scopes))} {key.name}".rstrip())


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="The id of the key: its second part.")],
    file: File = None,
) -> None:
    """Remove a key from the file. Services refuse it within a second."""
    with _key_file(file) as keys:
        removed = keys.remove(id)
    if not removed:
        raise fail(f"There is no key {id} in {file}.")
    typer.echo(f"revoked {id}")
    typer.echo(f"Removed from {file}.", err=True)


@contextmanager
def _key_file(file: Path | None) -> Iterator[KeyFile]:
    """The file, whose faults end the command."""
    if file is None:
        raise fail("Name the file of keys with --file or STUFF_API_KEYS_FILE.", 2)
    try:
        yield KeyFile(file)
    except OSError as error:
        raise unusable(file, error) from None
    except KeyFault as fault:
        raise fail(f"{file}: {fault}") from None
