"""Checks of problems (RFC 9457)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import Request
from fastapi.routing import APIRoute
from httpx import Response

from service.errors import MethodNotAllowed, StuffError
from service.openapi.problems import errors_of
from service.web import problems

OF_NO_OPERATION = (MethodNotAllowed, StuffError)


def is_sentence(text: str | None) -> bool:
    """Whether a person is told something."""
    return bool(
        text and text.endswith(".") and not text[0].islower() and text not in (text.upper(), None)
    )


def assert_problem(response: Response, status: int, slug: str, **members: Any) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = response.json()
    assert problem["type"] == f"/problems/{slug}"
    assert problem["status"] == status
    assert problem["title"]
    assert is_sentence(problem["detail"])
    declared = problems.Problem.model_validate(problem)
    assert declared.model_extra == {}
    for fault in declared.errors or ():
        assert is_sentence(fault.detail)
    assert problem["instance"] == response.request.url.raw_path.decode().partition("?")[0]
    for name, value in members.items():
        assert problem[name] == value
    return problem


@contextmanager
def all_declared(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails at the end if an operation answered an error that the OpenAPI document does not list.

    Only applications of this process are watched.
    """
    undeclared: set[str] = set()
    problem_response = problems.problem_response

    def watched(request: Request, error: StuffError) -> Any:
        route, declarations = request.scope.get("route"), request.app.state.declarations
        if (
            isinstance(route, APIRoute)
            and route.include_in_schema
            and type(error) not in (*errors_of(route, declarations), *OF_NO_OPERATION)
        ):
            undeclared.add(f"{request.method} {route.path}: {type(error).__name__}")
        return problem_response(request, error)

    monkeypatch.setattr(problems, "problem_response", watched)
    yield
    assert not undeclared
