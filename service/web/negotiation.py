"""Content negotiation: media types and content codings (RFC 9110, section 12)."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request

from service.errors import NotAcceptable
from service.web.headers import header

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
_NEGOTIATED = "__negotiated__"


def negotiated(endpoint: Endpoint) -> Endpoint:
    """Declare that the endpoint's responses depend on `Accept`; its problems get `Vary` too."""
    setattr(endpoint, _NEGOTIATED, True)
    return endpoint


def is_negotiated(request: Request) -> bool:
    """Whether the request's endpoint is declared as `negotiated`."""
    return hasattr(getattr(request.scope.get("route"), "endpoint", None), _NEGOTIATED)


def choose(request: Request, available: list[str]) -> str:
    """The available media type that the client prefers (RFC 9110, section 12.5.1).

    Raises `NotAcceptable`.
    """
    accept = header(request, b"accept")
    if accept is None:
        return available[0]
    accept = ",".join(request.headers.getlist("accept"))
    best = max(available, key=lambda media_type: _quality(accept, _ranges(media_type)))
    if _quality(accept, _ranges(best)) == 0:
        raise NotAcceptable(
            f"{accept!r} lists nothing that is available here. Accept {' or '.join(available)}."
        )
    return best


def prefers(accept: str, media_type: str, other: str) -> bool:
    """Whether the value of Accept gives the media type a higher weight than the other one."""
    return _quality(accept, _ranges(media_type)) > _quality(accept, _ranges(other))


def choose_coding(request: Request, available: list[str]) -> str | None:
    """The available content coding that the client prefers, the first of equals (RFC 9110, section
    12.5.3). None if it accepts none of them, or does not say."""
    accept = ",".join(request.headers.getlist("accept-encoding"))
    weights = {name: _quality(accept, [name, f"x-{name}", "*"]) for name in available}
    best = max(available, key=lambda name: weights[name])
    return best if weights[best] > 0 else None


def _ranges(media_type: str) -> list[str]:
    return [media_type, media_type.partition("/")[0] + "/*", "*/*"]


def _quality(header: str, names: list[str]) -> float:
    """The weight of the first of these names that the header lists; 0 if it lists none."""
    weights: dict[str, float] = {}
    for element in header.split(","):
        name, *parameters = (part.strip().lower() for part in element.split(";"))
        weight = 1.0
        for parameter in parameters:
            if parameter.startswith("q="):
                try:
                    weight = float(parameter[2:])
                except ValueError:
                    weight = 0.0
        weights.setdefault(name, weight)
    return next((weights[name] for name in names if name in weights), 0.0)
