"""Requests with an `Idempotency-Key`: the work is done once, and each repetition gets the first
answer.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from collections.abc import Awaitable, Callable, Collection
from typing import TypeAlias, TypeVar

from fastapi import Request, Response

from service.errors import Forbidden, raises
from service.mongo.records import Answer
from service.security import READ
from service.store.idempotency import Keyed, Records
from service.store.work import Work
from service.web.access import check_scopes, may_read_in
from service.web.responses import DocumentResponse, Preference

MAX_BODY = 256 * 1024
"""Bytes of a body that are recorded. A larger answer is recorded as with `return=minimal`."""
RECORDED = frozenset(
    {
        "content-location", "content-type", "etag", "last-modified", "location",
        "preference-applied", "vary",
    }
)  # fmt: skip
"""The header fields that belong to an answer, whoever sends it and when."""
READS = frozenset({READ})
REPLAYED = (b"idempotency-replayed", b"true")

Made = TypeVar("Made")
Respond: TypeAlias = Callable[[Made, Preference | None], Awaitable[Response]]
"""Returns the response for what was made, by the preference. Called before it takes effect."""


class Once:
    """Answers one request that has an idempotency key."""

    def __init__(self, request: Request, records: Records, keyed: Keyed) -> None:
        self._request = request
        self._records = records
        self._keyed = keyed

    @raises(Records.once, Forbidden)
    async def respond(
        self,
        work: Work[Made],
        respond: Respond[Made],
        preference: Preference | None,
        collections: Collection[str],
    ) -> Response:
        """The response to the request, which is about these collections: do the work, or answer as
        the first time.

        Raises `Forbidden` if the first answer shows what the client may not read any more.
        """
        responses: list[Response] = []

        async def answer(made: Made) -> Answer:
            response = await respond(made, preference)
            responses[:] = [response]
            if len(response.body) > MAX_BODY:
                response = await respond(made, "minimal")
            return self._recorded(response, collections)

        first = await self._records.once(self._keyed, work, answer)
        return responses[0] if first is None else self._replayed(first)

    def _recorded(self, response: Response, collections: Collection[str]) -> Answer:
        headers = {name: value for name, value in response.headers.items() if name in RECORDED}
        shown = [name for name in sorted(collections) if may_read_in(self._request, name)]
        return Answer(response.status_code, headers, bytes(response.body), shown)

    def _replayed(self, first: Answer) -> Response:
        for collection in first.shows:
            check_scopes(self._request, collection, READS, "The answer to the first request")
        fields = [(name.encode(), value.encode("latin-1")) for name, value in first.headers.items()]
        return DocumentResponse(first.status, [*fields, REPLAYED], first.body)
