"""A model that the service must agree with, whatever the sequence of requests."""

import json
from typing import Any, TypeAlias

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)

from service.settings import Settings
from tests.support.applications import serve

Values: TypeAlias = dict[str, Any]


class Documents(RuleBasedStateMachine):
    """The service against a dictionary."""

    portal: BlockingPortal
    client: httpx.AsyncClient

    tags = Bundle("tags")
    ids = st.sampled_from(["a", "b"])
    values = st.dictionaries(st.sampled_from(["x", "y"]), st.integers(0, 2) | st.none(), max_size=2)

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, Values] = {}
        self.tag_of: dict[str, str] = {}  # by the fields, as JSON
        for id in ("a", "b"):
            self.request("DELETE", id)

    def request(
        self,
        method: str,
        id: str,
        body: Values | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        form = "application/merge-patch+json" if method == "PATCH" else "application/json"
        content = None if body is None else json.dumps(body)

        async def send() -> httpx.Response:
            return await self.client.request(
                method,
                f"/stuff/{id}",
                content=content,
                headers={"content-type": form, **(headers or {})},
            )

        response: httpx.Response = self.portal.call(send)
        return response

    def tag(self, fields: Values) -> str | None:
        return self.tag_of.get(json.dumps(fields))

    def remember(self, fields: Values, response: httpx.Response) -> str:
        tag = response.headers["etag"]
        assert self.tag_of.setdefault(json.dumps(fields), tag) == tag
        assert list(self.tag_of.values()).count(tag) == 1
        return str(tag)

    def holds(self, id: str, headers: dict[str, str]) -> bool:
        current = self.tag(self.model[id]) if id in self.model else None
        if "if-match" in headers:
            return current is not None and headers["if-match"] in ("*", current)
        if "if-none-match" in headers:
            return current is None or headers["if-none-match"] not in ("*", current)
        return True

    conditions = st.one_of(
        st.just({}),
        st.just({"if-match": "*"}),
        st.just({"if-none-match": "*"}),
        st.builds(lambda name: {name: ""}, st.sampled_from(["if-match", "if-none-match"])),
    )

    @initialize(target=tags)
    def a_tag_of_nothing(self) -> str:
        return '"none"'

    @rule(target=tags, id=ids, fields=values, headers=conditions, tag=tags)
    def put(self, id: str, fields: Values, headers: dict[str, str], tag: str) -> str:
        headers = {name: value or tag for name, value in headers.items()}
        response = self.request("PUT", id, fields, headers)
        if not self.holds(id, headers):
            assert response.status_code == 412
            return tag
        assert response.status_code == (200 if id in self.model else 201)
        self.model[id] = fields
        return self.remember(fields, response)

    @rule(target=tags, id=ids, fields=values, headers=conditions, tag=tags)
    def patch(self, id: str, fields: Values, headers: dict[str, str], tag: str) -> str:
        headers = {name: value or tag for name, value in headers.items()}
        response = self.request("PATCH", id, fields, headers)
        if id not in self.model:
            assert response.status_code == 404
            return tag
        if not self.holds(id, headers):
            assert response.status_code == 412
            return tag
        assert response.status_code == 200
        merged = {**self.model[id], **fields}
        removed = [name for name, value in fields.items() if value is None]
        self.model[id] = {name: value for name, value in merged.items() if name not in removed}
        assert response.json() == {"_id": id, **self.model[id]}
        return self.remember(self.model[id], response)

    @rule(id=ids, headers=conditions, tag=tags)
    def delete(self, id: str, headers: dict[str, str], tag: str) -> None:
        headers = {name: value or tag for name, value in headers.items()}
        response = self.request("DELETE", id, headers=headers)
        if id not in self.model:
            assert response.status_code == 404
        elif not self.holds(id, headers):
            assert response.status_code == 412
        else:
            assert response.status_code == 204
            del self.model[id]

    @rule(id=ids, headers=conditions, tag=tags)
    def get(self, id: str, headers: dict[str, str], tag: str) -> None:
        headers = {name: value or tag for name, value in headers.items()}
        response = self.request("GET", id, headers=headers)
        if id not in self.model:
            assert response.status_code == 404
            return
        if self.holds(id, headers):
            assert response.status_code == 200
            assert response.json() == {"_id": id, **self.model[id]}
        else:
            assert response.status_code == (412 if "if-match" in headers else 304)
        if response.status_code != 412:
            self.remember(self.model[id], response)


def test_any_history_is_that_of_a_dictionary(settings: Settings) -> None:
    with (
        start_blocking_portal("asyncio") as started,
        started.wrap_async_context_manager(serve(settings)) as http,
    ):

        class Machine(Documents):
            portal = started
            client = http

        run_state_machine_as_test(
            Machine, settings=hypothesis_settings(max_examples=25, stateful_step_count=25)
        )
