"""Requests to a server, as all commands make them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import httpx

from service.client.errors import RequestRefused, ServerUnavailable

TIMEOUT = httpx.Timeout(120, connect=10)  # seconds
TEMPORARY = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may succeed a moment later."""


def authorization() -> dict[str, str]:
    """The header field with the API key of STUFF_KEY, if that is set. There is no option for the
    key, since other users of the machine can see the options of a process."""
    key = os.environ.get("STUFF_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}


@contextmanager
def connect(url: str, timeout: httpx.Timeout = TIMEOUT) -> Iterator[httpx.Client]:
    """A client of the server. Raises `ServerUnavailable` when a request gets no answer."""
    try:
        with httpx.Client(base_url=url, timeout=timeout, headers=authorization()) as client:
            yield client
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise ServerUnavailable(f"{url} does not answer: {error}") from None


def checked(response: httpx.Response) -> httpx.Response:
    """The response, if it is a success. Another must have been read. Raises `ServerUnavailable`
    and `RequestRefused`."""
    if response.status_code in TEMPORARY:
        raise ServerUnavailable(problem_of(response))
    if not response.is_success:
        raise RequestRefused(problem_of(response))
    return response


def problem_of(response: httpx.Response) -> str:
    """What went wrong, in a line: of a problem (RFC 9457) its title, status and detail."""
    try:
        problem = response.json()
        return f"{problem['title']} ({response.status_code}). {problem['detail']}"
    except (ValueError, KeyError, TypeError):
        return f"{response.status_code} {response.reason_phrase}"


def document_path(id: str) -> str:
    """The path of a document. Dots are percent-encoded in `.` and `..`, which clients remove."""
    encoded = quote(id, safe="")
    return "/stuff/" + (encoded.replace(".", "%2E") if id in (".", "..") else encoded)
