"""What the commands that talk to a server have in common."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated
from urllib.parse import quote

import httpx
import typer

TIMEOUT = httpx.Timeout(120, connect=10)

Url = Annotated[str, typer.Option(envvar="STUFF_URL", help="The server.")]
DEFAULT_URL = "http://127.0.0.1:8000"


def fail(message: str, status: int = 1) -> typer.Exit:
    """Say it, and return what to raise."""
    typer.echo(f"stuff: {message}", err=True)
    return typer.Exit(status)


def authorization() -> dict[str, str]:
    """The header field with the API key of STUFF_KEY, if that is set. There is no option for the
    key, since other users of the machine can see the options of a process."""
    key = os.environ.get("STUFF_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}


@contextmanager
def connection(url: str) -> Iterator[httpx.Client]:
    """A client of the server; if that is not there, the command ends."""
    try:
        with httpx.Client(base_url=url, timeout=TIMEOUT, headers=authorization()) as client:
            yield client
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise fail(f"{url} does not answer: {error}") from None


def checked(response: httpx.Response) -> httpx.Response:
    """The response, unless it is a problem: then the command ends with what it says."""
    if response.is_success:
        return response
    try:
        problem = response.json()
        raise fail(f"{problem['title']} ({response.status_code}). {problem['detail']}")
    except (ValueError, KeyError, TypeError):
        raise fail(f"{response.status_code} {response.reason_phrase}") from None


def address(id: str) -> str:
    """The path of a document; dots are percent-encoded, since clients remove `.` and `..`."""
    encoded = quote(id, safe="")
    return "/stuff/" + (encoded.replace(".", "%2E") if id in (".", "..") else encoded)


def write(body: bytes) -> None:
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()
