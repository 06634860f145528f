"""The feed tells the changes of a commit in their order, and resumes between them."""

from pathlib import Path

from httpx import AsyncClient

from service.settings import Settings
from tests.support.applications import live
from tests.support.committing import commit, committed, merge, put, write
from tests.support.declaring import declare
from tests.support.following import follow


async def test_the_changes_of_a_commit_come_in_their_order(live_client: AsyncClient) -> None:
    await committed(live_client, put("c", {"n": 0}), put("d", {"n": 0}), put("e", {"n": 0}))
    async with follow(live_client) as events:
        made = await committed(
            live_client,
            put("b", {"n": 1}),
            merge("c", {"n": 2}),
            write("delete", "d"),
            write("create", "a", {"n": 3}),
            write("update", "e", {"$inc": {"n": 4}}),
        )
        told = await events.take(5)
    assert [(each.data["_id"], each.n) for each in told] == [
        ("b", 1), ("c", 2), ("d", None), ("a", 3), ("e", 4),
    ]  # fmt: skip
    for event, result in zip(told, made, strict=True):
        tag = event.data["etag"]
        assert (None if tag is None else f'"{tag}"') == result.get("etag")


async def test_a_follower_may_resume_within_a_commit(live_client: AsyncClient) -> None:
    async with follow(live_client) as events:
        await committed(live_client, *(put(f"{n}", {"n": n}) for n in range(6)))
        await events.take(3)
        last = events.last_id
    async with follow(live_client, last=last) as events:
        assert [each.n for each in await events.take(3)] == [3, 4, 5]
        await live_client.put("/stuff/next", json={"n": 6})
        assert (await events.next()).n == 6


async def test_nothing_is_told_of_a_commit_that_was_not_made(live_client: AsyncClient) -> None:
    async with follow(live_client) as events:
        refused = await commit(live_client, put("a", {"n": 1}), write("delete", "absent"))
        assert refused.status_code == 404
        await live_client.put("/stuff/b", json={"n": 2})
        assert (await events.next()).n == 2


async def test_each_collection_tells_its_own_part(settings: Settings, tmp_path: Path) -> None:
    file = declare(tmp_path, books={}, notes={})
    async with live(settings, collections=file) as client:
        async with follow(client, "/books") as books, follow(client, "/notes") as notes:
            await committed(
                client,
                put("a", {"n": 1}, collection="books"),
                put("a", {"n": 2}, collection="notes"),
                put("b", {"n": 3}, collection="books"),
            )
            assert [each.n for each in await books.take(2)] == [1, 3]
            assert (await notes.next()).n == 2


async def test_a_check_is_an_event_of_the_same_document(live_client: AsyncClient) -> None:
    await live_client.put("/stuff/a", json={"n": 1})
    async with follow(live_client) as events:
        [checked] = await committed(live_client, write("check", "a"))
        event = await events.next()
    assert (event.kind, event.n) == ("put", 1)
    assert f'"{event.data["etag"]}"' == checked["etag"]
