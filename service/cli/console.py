"""Options that several commands have, and what they print."""

import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

DEFAULT_URL = "http://127.0.0.1:8000"
COLLECTION = re.compile("[a-z][a-z0-9_]*")


def _check_url(url: str) -> str:
    """The URL, with a scheme: localhost:8000 means http://localhost:8000."""
    url = url if "://" in url else f"http://{url}"
    try:
        parts = urlsplit(url)
        is_valid = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is not a number, for example
        is_valid = False
    if not is_valid:
        raise typer.BadParameter(f"{url!r} is not the URL of a server, such as {DEFAULT_URL}.")
    return url


def _check_collection(name: str) -> str:
    if not COLLECTION.fullmatch(name):
        raise typer.BadParameter(f"{name!r} is not the name of a collection, such as books.")
    return name


Url = Annotated[str, typer.Option(envvar="STUFF_URL", help="The server.", callback=_check_url)]
Collection = Annotated[str, typer.Option(help="The collection.", callback=_check_collection)]
DEFAULT_COLLECTION = "stuff"
Patience = Annotated[
    float, typer.Option(min=0, help="Seconds to keep trying while the server is unavailable.")
]
Filter = Annotated[
    str | None, typer.Option(help="Only documents that match: a filter in MongoDB's JSON.")
]


def fail(message: str, status: int = 1) -> typer.Exit:
    """Print the message on standard error, and return the exception that ends the command."""
    typer.echo(f"stuff: {message}", err=True)
    return typer.Exit(status)


def unusable(file: Path, error: OSError) -> typer.Exit:
    """`fail` for a file that cannot be read or written."""
    return fail(f"{error.filename or file}: {error.strerror or error}")


def waiting(patience: float) -> Callable[[str], None]:
    """What to call when a command waits for the server: says so once, whatever waits beside."""
    until = 0.0

    def say(cause: str) -> None:
        nonlocal until
        now = time.monotonic()
        if now > until:
            until = now + patience
            typer.echo(f"stuff: {cause} Trying again for {patience:g} s.", err=True)

    return say


def write(body: bytes) -> None:
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()
