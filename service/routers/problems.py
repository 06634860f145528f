"""`/problems/{slug}`: what the `type` of a problem refers to."""

import inspect

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse

from service.errors import RouteNotFound, problem_types
from service.security import public
from service.web.problems import TYPE_PREFIX

router = APIRouter(include_in_schema=False)


@router.api_route(TYPE_PREFIX + "{slug}", methods=["GET", "HEAD"])
@public
async def get_problem_type(request: Request, slug: str) -> Response:
    """The documentation of the error."""
    problem = problem_types().get(slug)
    if problem is None:
        raise RouteNotFound("There is no problem type with this name.")
    explanation = inspect.cleandoc(problem.__doc__ or "")
    guide = f"{request.scope['root_path']}/docs/{_guide(problem.status)}"
    return PlainTextResponse(
        f"{problem.title} ({problem.status})\n\n{explanation}\n\nGuide: {guide}\n"
    )


def _guide(status: int) -> str:
    """The name of the page that says more about problems with this status."""
    pages = {409: "change-together", 410: "follow", 412: "change-together", 503: "recover-from-503"}
    return pages.get(status, "guide")
