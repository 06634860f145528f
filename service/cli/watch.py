"""`stuff watch`: the feed, a line an event."""

import time
from collections.abc import Iterator
from typing import Annotated

import httpx
import orjson
import typer

from service.cli.http import DEFAULT_URL, Url, address, authorization, checked, fail

SILENCE = 45.0  # seconds: the server says something every 15
RETRY_DELAY, MAX_RETRY_DELAY = 0.5, 10.0


def watch(
    id: Annotated[str | None, typer.Argument(help="Only this document.")] = None,
    filter: Annotated[
        str | None, typer.Option(help="Only puts of these documents: MongoDB's JSON.")
    ] = None,
    last_event_id: Annotated[str | None, typer.Option(help="Go on behind this event.")] = None,
    ids: Annotated[bool, typer.Option("--ids", help="Show the ids of the events too.")] = False,
    patience: Annotated[
        float, typer.Option(min=0, help="Seconds to try again when the server is away.")
    ] = 60,
    url: Url = DEFAULT_URL,
) -> None:
    """Show what happens to documents, until Ctrl-C.

    Goes on where it was when the connection breaks.
    """
    path = "/stuff" if id is None else address(id)
    parameters = {} if filter is None else {"filter": filter}
    last, delay, deadline = last_event_id, RETRY_DELAY, time.monotonic() + patience
    timeout = httpx.Timeout(SILENCE, connect=10)
    try:
        with httpx.Client(base_url=url, timeout=timeout, headers=authorization()) as client:
            while True:
                headers = {"Accept": "text/event-stream"} | (
                    {"Last-Event-ID": last} if last else {}
                )
                try:
                    with client.stream("GET", path, params=parameters, headers=headers) as response:
                        if response.status_code not in (429, 502, 503, 504):
                            if not response.is_success:
                                response.read()
                            checked(response)
                        for kind, event_id, data in events(response.iter_lines()):
                            last = event_id or last
                            delay, deadline = RETRY_DELAY, time.monotonic() + patience
                            if kind == "gone":
                                raise fail(orjson.loads(data)["detail"])
                            if kind in ("put", "delete"):
                                show(kind, data, last if ids else None)
                        problem = "It ended the feed."
                except httpx.TransportError as error:
                    problem = f"{type(error).__name__}: {error}"
                if time.monotonic() + delay > deadline:
                    raise fail(f"{url} is away. {problem}")
                time.sleep(delay)
                delay = min(2 * delay, MAX_RETRY_DELAY)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def show(kind: str, data: str, event_id: str | None) -> None:
    change = orjson.loads(data)
    id = change["_id"] if isinstance(change["_id"], str) else orjson.dumps(change["_id"]).decode()
    document = "" if change["document"] is None else f" {orjson.dumps(change['document']).decode()}"
    typer.echo(f"{f'{event_id} ' if event_id else ''}{kind} {id}{document}")


def events(lines: Iterator[str]) -> Iterator[tuple[str, str, str]]:
    """The kind, the id and the data of each event; each may be empty."""
    kind = id = ""
    data: list[str] = []
    for line in lines:
        if not line:
            if id or data:
                yield kind, id, "\n".join(data)
            kind, id, data = "", "", []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                kind = value
            case "id":
                id = value
            case "data":
                data.append(value)
