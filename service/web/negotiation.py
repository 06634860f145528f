"""Content negotiation: media types and content codings (RFC 9110, section 12)."""

from collections.abc import Callable
from typing import Any, TypeVar

from fastapi import Request

from service.errors import BadRequest, NotAcceptable, raises
from service.web.headers import header
from service.web.responses import EJSON, JSON

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
MAX_ELEMENTS = 200
"""Formats and their parameters in one header field."""
_NEGOTIATED = "__negotiated__"


def negotiated(endpoint: Endpoint) -> Endpoint:
    """Declare that the endpoint's responses depend on `Accept`; its problems get `Vary` too."""
    setattr(endpoint, _NEGOTIATED, True)
    return endpoint


def is_negotiated(request: Request) -> bool:
    """Whether the request's endpoint is declared as `negotiated`."""
    return hasattr(getattr(request.scope.get("route"), "endpoint", None), _NEGOTIATED)


@raises(NotAcceptable, BadRequest)
def choose(request: Request, available: list[str]) -> str:
    """The available media type that the client prefers (RFC 9110, section 12.5.1).

    Raises `NotAcceptable` and `BadRequest`.
    """
    accept = header(request, b"accept")
    if accept is None:
        return available[0]
    accept = ",".join(request.headers.getlist("accept"))
    weights = _weights(accept)
    best = max(available, key=lambda media_type: _quality(weights, _ranges(media_type)))
    if _quality(weights, _ranges(best)) == 0:
        raise NotAcceptable(
            f"{accept!r} lists nothing that is available here. Accept {' or '.join(available)}."
        )
    return best


@raises(BadRequest)
def prefers(accept: str, media_type: str, other: str) -> bool:
    """Whether the value of Accept gives the media type a higher weight than the other one."""
    weights = _weights(accept)
    return _quality(weights, _ranges(media_type)) > _quality(weights, _ranges(other))


@raises(prefers)
def wants_extended(request: Request) -> bool:
    """Whether the client prefers a document in Extended JSON to JSON."""
    accept = header(request, b"accept")
    return accept is not None and EJSON in accept and prefers(accept, EJSON, JSON)


@raises(BadRequest)
def choose_coding(request: Request, available: list[str]) -> str | None:
    """The available content coding that the client prefers, the first of equals (RFC 9110, section
    12.5.3). None if it accepts none of them, or does not say."""
    weights = _weights(",".join(request.headers.getlist("accept-encoding")))
    qualities = {name: _quality(weights, [name, f"x-{name}", "*"]) for name in available}
    best = max(available, key=lambda name: qualities[name])
    return best if qualities[best] > 0 else None


def _ranges(media_type: str) -> list[str]:
    return [media_type, media_type.partition("/")[0] + "/*", "*/*"]


def _weights(header: str) -> dict[str, float]:
    """The weight of each element of the header field. Raises `BadRequest` if there are too many."""
    if header.count(",") + header.count(";") > MAX_ELEMENTS:
        raise BadRequest(
            f"Accept and Accept-Encoding can list {MAX_ELEMENTS} formats and parameters here. "
            "Send fewer."
        )
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
    return weights


def _quality(weights: dict[str, float], names: list[str]) -> float:
    """The weight of the first of these names that is listed; 0 if none is."""
    return next((weights[name] for name in names if name in weights), 0.0)
