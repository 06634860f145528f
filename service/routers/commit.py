"""`/commit`: several writes, all of them or none."""

from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from service.errors import StuffError, raises
from service.openapi import commit as operations
from service.openapi import operation_id
from service.security import writes_anywhere
from service.store.commits import Applied, Change, Commits
from service.web.access import may_read_in
from service.web.blind import blind_fault
from service.web.dependencies import ChangesDep, CommitsDep, OnceCommitting
from service.web.direct import DirectRoute
from service.web.once import Once
from service.web.responses import JSON, Preference

router = APIRouter(
    tags=["commits"],
    route_class=DirectRoute,
    default_response_class=Response,
    generate_unique_id_function=operation_id,
)


@router.post(
    "/commit",
    summary="Write several documents, all or none",
    responses=operations.COMMIT,
    openapi_extra=operations.REPETITION | operations.COMMIT_BODY,
)
@writes_anywhere
@raises(Commits.make, Once.respond)
async def commit(
    request: Request, changes: ChangesDep, commits: CommitsDep, once: OnceCommitting
) -> Response:
    """Makes up to 500 writes, in one collection or in several, at one moment: all of them, or, if
    one cannot be made, none. The response has the result of each, in their order.

    A write that cannot be made fails the commit with the problem that it would have alone, and the
    `index` of the write. Each document can be in a commit once.
    """

    async def respond(made: list[Applied], _: Preference | None) -> Response:
        results = [_result(request, each) for each in made]
        return Response(orjson.dumps({"results": results}), media_type=JSON)

    try:
        if once is not None:
            collections = {change.target.name for change in changes}
            return await once.respond(await commits.work(changes), respond, None, collections)
        made = await commits.make(changes)
    except StuffError as error:
        raise _seen(request, changes, error) from None
    return await respond(made, None)


def _result(request: Request, made: Applied) -> dict[str, Any]:
    """What is told of a write. The entity tag of a patched document would confirm a guess of the
    rest of it."""
    change = made.change
    status = 204 if change.write.op == "delete" else 201 if made.created else 200
    result: dict[str, Any] = {"status": status, "id": made.id}
    is_shown = not change.is_patch or may_read_in(request, change.target.name)
    if made.etag is not None and is_shown:
        result["etag"] = f'"{made.etag}"'
    return result


def _seen(request: Request, changes: list[Change], error: StuffError) -> StuffError:
    """The error, as far as the client may see it."""
    index = error.members.get("index")
    change = next((each for each in changes if each.index == index), None)
    if change is None or not change.is_patch or may_read_in(request, change.target.name):
        return error
    blind = blind_fault(error)
    blind.members |= {"index": index, "pointer": f"/writes/{index}"}
    return blind
