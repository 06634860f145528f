"""Follows the feed of a server, even when the connection breaks.

Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx
import orjson

from service.client.errors import RequestRefused, ServerUnavailable
from service.client.http import checked
from service.client.retrying import Retries

TIMEOUT = httpx.Timeout(45, connect=10)  # seconds: the server sends something every 15


@dataclass(frozen=True, slots=True)
class Event:
    """An event of the feed: each part may be empty."""

    kind: str
    id: str
    data: str


def follow(
    client: httpx.Client,
    path: str,
    filter: str | None = None,
    last_event_id: str | None = None,
    patience: float = 60,
    on_wait: Callable[[str], None] = lambda _: None,
) -> Iterator[Event]:
    """The puts and deletes at a path, without end, each with the id after which to resume.

    Raises `ServerUnavailable` when nothing has come for `patience` seconds, and `RequestRefused`,
    also when the feed cannot resume after the given id.
    """
    last = last_event_id
    parameters = {} if filter is None else {"filter": filter}
    retries = Retries(patience, on_wait)
    while True:
        headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
        try:
            with client.stream("GET", path, params=parameters, headers=headers) as response:
                if not response.is_success:
                    response.read()
                for event in parse(checked(response, "text/event-stream").iter_lines()):
                    retries.reset()
                    last = event.id or last
                    if event.kind == "gone":
                        raise RequestRefused(orjson.loads(event.data)["detail"])
                    if event.kind in ("put", "delete"):
                        yield Event(event.kind, last or "", event.data)
            raise ServerUnavailable("It ended the feed.")
        except (httpx.TransportError, ServerUnavailable) as failure:
            time.sleep(retries.delay(failure))


def parse(lines: Iterator[str]) -> Iterator[Event]:
    """The events in the lines of a feed."""
    kind = id = ""
    data: list[str] = []
    for line in lines:
        if not line:
            if id or data:
                yield Event(kind, id, "\n".join(data))
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
