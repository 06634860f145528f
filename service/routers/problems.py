"""`/problems/{slug}`: what the `type` of a problem refers to."""

import inspect

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from service.errors import RouteNotFound, problem_types
from service.security import public
from service.web.problems import TYPE_PREFIX

router = APIRouter(include_in_schema=False)


@router.api_route(TYPE_PREFIX + "{slug}", methods=["GET", "HEAD"])
@public
async def get_problem_type(slug: str) -> Response:
    """The documentation of the error."""
    problem = problem_types().get(slug)
    if problem is None:
        raise RouteNotFound("There is no problem type with this name.")
    explanation = inspect.cleandoc(problem.__doc__ or "")
    return PlainTextResponse(f"{problem.title} ({problem.status})\n\n{explanation}\n")
