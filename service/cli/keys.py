"""`stuff key`: API keys in a file, by default the one of STUFF_API_KEYS_FILE."""

import os
from pathlib import Path
from typing import Annotated

import typer

from service.cli.console import fail
from service.security import SCOPES, KeyFault, make_key, parse_keys

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
    scopes: Annotated[str, typer.Option(help="What the key allows: read, write or both.")] = (
        "read,write"
    ),
    file: File = None,
) -> None:
    """Create a key and print it. It cannot be shown again.

    With --file, a line with the hash of the key is added to the file, and services that use the
    file accept the key within a second. Without, the line is printed for use in STUFF_API_KEYS.
    """
    wanted = scopes.split(",")
    if not set(wanted) <= set(SCOPES):
        raise fail(f"The scopes are {' and '.join(SCOPES)}, separated by commas.", 2)
    token, key = make_key(wanted, name)
    typer.echo(token)
    if file is None:
        typer.echo(f"For STUFF_API_KEYS: {key}", err=True)
        return
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with os.fdopen(descriptor, "a") as lines:
        lines.write(f"{key}\n")


@app.command("list")
def list_all(file: File = None) -> None:
    """List the id, the scopes and the name of each key."""
    for line in _lines(file):
        for key in parse_keys(line).values():
            typer.echo(f"{key.id} {','.join(sorted(key.scopes))} {key.name}".rstrip())


@app.command()
def revoke(
    id: Annotated[str, typer.Argument(help="The id of the key: its second part.")],
    file: File = None,
) -> None:
    """Remove a key from the file. Services refuse it within a second."""
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
        raise fail("Name the file of keys with --file or STUFF_API_KEYS_FILE.", 2)
    try:
        text = file.read_text()
        parse_keys(text)
    except (OSError, KeyFault) as error:
        raise fail(f"{file}: {error}") from None
    return text.splitlines()
