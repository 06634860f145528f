"""Requests to a server, as all commands make them."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

import httpx

from service.client.errors import KeyUnusable, RequestRefused, ServerUnavailable
from service.errors import RouteNotFound
from service.errors.documents import CORRECT_THEM, PUT_ONE

TIMEOUT = httpx.Timeout(120, connect=10)  # seconds
TEMPORARY = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may succeed a moment later."""


def authorization() -> dict[str, str]:
    """The header field with the API key of STUFF_KEY, if that is set. There is no option for the
    key, since other users of the machine can see the options of a process. Raises `KeyUnusable`."""
    key = os.environ.get("STUFF_KEY", "").strip()
    if not (key.isascii() and key.isprintable()):
        raise KeyUnusable("STUFF_KEY has characters that no key has.")
    return {"Authorization": f"Bearer {key}"} if key else {}


@contextmanager
def connect(url: str, timeout: httpx.Timeout = TIMEOUT) -> Iterator[httpx.Client]:
    """A client of the server. Raises `ServerUnavailable` when a request gets no answer."""
    headers = authorization()
    try:
        with httpx.Client(base_url=url, timeout=timeout, headers=headers) as client:
            yield client
    except httpx.TransportError as error:
        raise ServerUnavailable(f"{url} does not answer: {reason(error)}.") from None
    except httpx.InvalidURL as error:
        raise RequestRefused(f"{url}: {error}.") from None


def reason(error: httpx.TransportError) -> str:
    """Why there was no answer: what the operating system says, which httpx hides below its own."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno is not None:
            return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
        cause = cause.__cause__ or cause.__context__
    # Some errors of httpx have a type, but no text.
    return f"{type(error).__name__} {error}".rstrip(" .")


def origin(request: httpx.Request) -> str:
    """Where the request went, without its path."""
    return f"{request.url.scheme}://{request.url.netloc.decode()}"


def checked(response: httpx.Response, media_type: str | None = None) -> httpx.Response:
    """The response, if it is a success, and has this media type. Another must have been read.

    Raises `ServerUnavailable` and `RequestRefused`.
    """
    if response.status_code in TEMPORARY:
        raise ServerUnavailable(problem_of(response))
    if not response.is_success:
        raise RequestRefused(problem_of(response))
    found = response.headers.get("content-type", "nothing").partition(";")[0]
    if media_type is not None and found != media_type:
        raise RequestRefused(
            f"Another server than Stuff answers at {origin(response.request)}: it sent {found}, "
            f"not {media_type}."
        )
    return response


def problem_of(response: httpx.Response) -> str:
    """What went wrong: of a problem (RFC 9457) its title and status, and what `detailed` tells."""
    try:
        problem = response.json()
        if problem["type"] == f"/problems/{RouteNotFound.slug}":
            address = response.request.url.copy_with(query=None)
            return f"There is nothing at {address}: the server has no such collection."
        return f"{problem['title']} ({response.status_code}). {detailed(problem)}"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{response.status_code} {response.reason_phrase}"


def detailed(problem: Mapping[str, Any]) -> str:
    """The detail of a problem, and a line for each of the places that it lists."""
    detail = str(problem["detail"]).replace(PUT_ONE, "`stuff put` creates one.")
    faults = [f"{each['pointer']} {each['detail']}".strip() for each in problem.get("errors", ())]
    return "\n  ".join([detail.replace(CORRECT_THEM, "Correct them:"), *faults])


def document_path(collection: str, id: str) -> str:
    """The path of a document. Dots are percent-encoded in `.` and `..`, which clients remove."""
    encoded = quote(id, safe="")
    return f"/{collection}/" + (encoded.replace(".", "%2E") if id in (".", "..") else encoded)
