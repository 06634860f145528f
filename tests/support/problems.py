"""Checks of problems (RFC 9457)."""

from typing import Any

from httpx import Response


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
    assert problem["instance"] == response.request.url.raw_path.decode().partition("?")[0]
    for name, value in members.items():
        assert problem[name] == value
    return problem
