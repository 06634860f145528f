"""The body of a commit."""

from typing import Annotated

from fastapi import Depends, Request

from service.documents.commits import Write, parse_commit
from service.errors import (
    DatabaseUnavailable,
    Forbidden,
    InvalidCommit,
    InvalidDocument,
    MalformedJSON,
    Overloaded,
    UnsupportedMediaType,
    raises,
)
from service.security import READ, WRITE
from service.store.commits import Change, bind, target_of
from service.web.access import check_scopes, narrow
from service.web.bodies import claim_of
from service.web.dependencies.documents import Body, media_type
from service.web.dependencies.patches import READING
from service.web.dependencies.state import BudgetDep, CommitsDep, DatabaseDep
from service.web.direct import immediate
from service.web.responses import JSON

WRITES, CHECKS = frozenset({WRITE}), frozenset({READ, WRITE})


@raises(UnsupportedMediaType)
@immediate
def check_format(request: Request) -> None:
    """Raise `UnsupportedMediaType` unless the body is JSON."""
    media_type(request, [JSON], JSON, {"Accept": JSON})


IsJson = Depends(check_format)


@raises(
    MalformedJSON,
    InvalidDocument,
    InvalidCommit,
    Forbidden,
    DatabaseUnavailable,
    Overloaded,
    bind,
)
async def get_changes(
    request: Request,
    _: Annotated[None, IsJson],
    body: Body,
    budget: BudgetDep,
    database: DatabaseDep,
    commits: CommitsDep,
) -> list[Change]:
    """The changes that the commit in the body makes.

    Raises `Forbidden` unless the request has the scopes for every collection.
    """
    claim = claim_of(request, budget)
    claim.hold(2 * len(body))  # the writes have their parts as text
    writes = await commits.slices.run(parse_commit(body), len(body))
    for write in writes:
        target_of(write, commits.targets)
        check_access(request, write)
    binding = bind(writes, commits.targets, limits_patterns=database.limits_patterns)
    changes = await commits.slices.run(binding, len(body))
    for change in changes:
        if change.reads:
            check_scopes(request, change.target.name, CHECKS, READING)
    claim.hold(len(body) + sum(change.size for change in changes))
    narrow(request, {change.target.name for change in changes})
    return changes


@raises(Forbidden)
def check_access(request: Request, write: Write) -> None:
    """Raise `Forbidden` unless the request has the scopes for this write."""
    check_scopes(request, write.collection, WRITES)
    if write.compares:
        what = "A check" if write.op == "check" else "A condition other than `*`"
        check_scopes(request, write.collection, CHECKS, what)


ChangesDep = Annotated[list[Change], Depends(get_changes)]
