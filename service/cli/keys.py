"""`stuff key`: API keys, in the file of STUFF_API_KEYS_FILE or another."""

import os
from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import fail
from service.security import SCOPES, KeyFault, make_key, parse_keys

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Manage API keys.")

File = Annotated[
    Path | None,
    typer.Option(envvar="STUFF_API_KEYS_FILE", help="The file that keeps what is known of keys."),
]


@app.command()
def create(
    name: Annotated[str, typer.Option(help="Whose it is, for people.")] = "",
    scopes: Annotated[str, typer.Option(help="What it is for: read, write or both.")] = (
        "read,write"
    ),
    file: File = None,
) -> None:
    """Make a key, and show it: it is kept nowhere.

    With a file, what is to be kept is added there, and services that read it take the key within a
    second. Without, it is shown too, to be put into STUFF_API_KEYS.
    """
    wanted = scopes.split(",")
    if not set(wanted) <= set(SCOPES):
        raise fail(f"The scopes are {' and '.join(SCOPES)}.", 2)
    token, key = make_key(wanted, name)
    typer.echo(token)
    if file is None:
        typer.echo(f"To be kept (STUFF_API_KEYS): {key}", err=True)
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a") as lines:
        lines.write(f"{key}\n")


@app.command("list")
def list_all(file: File = None) -> None:
    """Show what is known of the keys."""
    for line in _lines(file):
        for key in parse_keys(line).values():
            typer.echo(f"{key.id} {','.join(sorted(key.scopes))} {key.name}".rstrip())


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="The key's id, its second part.")], file: File = None
) -> None:
    """Take a key out of the file: within a second it is none any more."""
    lines = _lines(file)
    kept = [line for line in lines if id not in parse_keys(line)]
    if len(kept) == len(lines):
        raise fail(f"There is no key {id}.")
    assert file is not None
    new = file.with_name(file.name + ".new")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write("".join(f"{line}\n" for line in kept))
    new.replace(file)
    typer.echo(f"revoked {id}")


def _lines(file: Path | None) -> list[str]:
    if file is None:
        raise fail("Say which file: --file, or STUFF_API_KEYS_FILE.", 2)
    try:
        text = file.read_text()
        parse_keys(text)
    except (OSError, KeyFault) as error:
        raise fail(f"{file}: {error}") from None
    return text.splitlines()
