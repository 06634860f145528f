"""Problems, as the classes of errors declare them."""

import inspect
import json

from docs._reference.markdown import code, document, fenced, plain, table
from service.errors import StuffError, problem_types
from service.openapi.problem_examples import example_of
from service.web.problems import TYPE_PREFIX, Problem, problem_body

INTRODUCTION = """\
Every error is a problem: an `application/problem+json` object as RFC 9457 describes. `type` and
`status` never change for a kind of problem: decide by them. `detail` is for people and says what to
do. `GET /problems/{name}` of a running service shows what is said here."""

MEMBERS = "## Members\n\nOf all problems, and of some:"


def page() -> str:
    members = [
        [code(name), field.description or ""] for name, field in Problem.model_fields.items()
    ]
    types = problem_types().values()
    rows = [
        [str(error.status), f"[{code(error.slug)}](#{error.slug})", error.title] for error in types
    ]
    return document(
        "Problems",
        INTRODUCTION,
        table(["status", "type", "title"], rows),
        MEMBERS,
        table(["member", "meaning"], members),
        *map(_section, types),
    )


def _section(error: type[StuffError]) -> str:
    said = "\n\n".join(map(plain, inspect.cleandoc(error.__doc__ or "").split("\n\n")))
    example = problem_body(example_of(error), b"/stuff/ada")
    del example["request_id"]
    return "\n\n".join(
        [
            f"## {error.slug}",
            f"{error.status}, {code(TYPE_PREFIX + error.slug)}. {said}",
            fenced(json.dumps(example, indent=2), "json"),
        ]
    )
