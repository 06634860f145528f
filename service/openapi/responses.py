"""Successful responses of operations; `problems` derives the others from what raises them."""

from typing import Any

Responses = dict[int | str, dict[str, Any]]


def ok(status: int | str, description: str, **more: Any) -> Responses:
    return {status: {"description": description} | more}


def without_content(responses: Responses) -> Responses:
    """The responses of HEAD: the same, without a body."""
    return {
        status: {key: value for key, value in response.items() if key not in ("content", "model")}
        for status, response in responses.items()
    }
