"""Many commits at the same time: what one has checked, no other has changed."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from httpx import AsyncClient, Response

from service.settings import Settings
from tests.support.applications import Application, serve
from tests.support.committing import Write, commit, committed, documents, merge, put, tag_of, write
from tests.support.declaring import declare
from tests.support.patience import TIMEOUT
from tests.support.problems import assert_problem

ACCOUNTS = [f"account-{number}" for number in range(6)]
START = 100


@pytest.fixture
async def two(settings: Settings) -> AsyncIterator[list[AsyncClient]]:
    """Clients of two processes of the service on one database, as far as it can tell: turns hold in
    each of them only."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(serve(settings)) for _ in range(2)]


@pytest.mark.parametrize("processes", [1, 2])
async def test_commits_that_each_check_what_the_other_writes_never_both_succeed(
    two: list[AsyncClient], processes: int
) -> None:
    """Under snapshot isolation alone both would: each sees the other's document as it was."""
    one, other = two[0], two[processes - 1]
    for round in range(15):
        a, b = f"a{round}", f"b{round}"
        await committed(one, put(a, {"on_call": True}), put(b, {"on_call": True}))
        tags = {id: await tag_of(one, id) for id in (a, b)}
        off = {"on_call": False}
        both = await asyncio.gather(
            commit(one, write("check", a, if_match=tags[a]), merge(b, off)),
            commit(other, write("check", b, if_match=tags[b]), merge(a, off)),
        )
        assert sorted(each.status_code for each in both) == [200, 412]
        on_call = [(await documents(one))[id]["on_call"] for id in (a, b)]
        assert sorted(on_call) == [False, True]


async def test_a_check_conflicts_however_short_ago_the_document_was_written(
    two: list[AsyncClient],
) -> None:
    for _ in range(10):
        [made] = await committed(two[0], put("a", {}))
        checks = [
            commit(client, write("check", "a", if_match=made["etag"]), put(id, {}))
            for client, id in zip(two, "bc", strict=True)
        ]
        for each in await asyncio.gather(*checks):
            assert each.status_code == 200, each.text


@pytest.mark.parametrize("same", ["put", "merge", "update"])
async def test_without_metadata_no_commit_depends_on_what_it_does_not_change(
    application: Application, tmp_path: Path, same: str
) -> None:
    """The database makes no write of it, and so finds no conflict with another transaction."""
    async with application(collections=declare(tmp_path, plain={"metadata": False})) as client:
        await client.put("/plain/a", json={"v": 0})
        of = {"collection": "plain"}
        tag = await tag_of(client, "a", "/plain")
        content = {"$set": {"v": 0}} if same == "update" else {"v": 0}
        unchanged = write(same, "a", content, if_match=tag, **of)
        refused = await commit(client, put("b", {}, **of), unchanged)
        assert_problem(refused, 422, "invalid-commit", index=1, pointer="/writes/1/id")
        assert await documents(client, "/plain") == {"a": {"v": 0}}
        await committed(client, put("a", {"v": 0}, **of))  # depends on nothing


async def test_the_same_document_is_created_by_one_commit_only(two: list[AsyncClient]) -> None:
    for round in range(10):
        id = f"new-{round}"
        answers = await asyncio.gather(
            *(
                commit(client, put(f"by-{index}-{round}", {}), write("create", id, {"by": index}))
                for index, client in enumerate(two * 2)
            )
        )
        won = [index for index, each in enumerate(answers) if each.status_code == 200]
        assert len(won) == 1
        found = await documents(two[0])
        assert found[id] == {"by": won[0]}
        assert [n for n in range(4) if f"by-{n}-{round}" in found] == won


async def transfer(client: AsyncClient, chance: random.Random) -> Response:
    """Move money from some accounts to others, in one of several ways."""
    ids = chance.sample(ACCOUNTS, chance.randint(2, 4))
    way = chance.choice(["counted", "read"])
    if way == "counted":
        amounts = [chance.randint(-5, 5) for _ in ids[1:]]
        amounts.append(-sum(amounts))
        return await commit(
            client,
            *(
                write("update", id, {"$inc": {"balance": amount}})
                for id, amount in zip(ids, amounts, strict=True)
            ),
        )
    source, target, *checked = ids
    seen = {}
    for id in ids:
        response = await client.get(f"/stuff/{id}")
        seen[id] = response.headers["etag"], response.json()["balance"]
    writes: list[Write] = [write("check", id, if_match=seen[id][0]) for id in checked]
    for id, amount in ((source, -1), (target, 1)):
        tag, balance = seen[id]
        writes.append(merge(id, {"balance": balance + amount}, if_match=tag))
    chance.shuffle(writes)
    return await commit(client, *writes)


async def sum_seen(client: AsyncClient) -> int | None:
    """The sum of all accounts at one moment, as a client gets it; None if it has to try again."""
    responses = [await client.get(f"/stuff/{id}") for id in ACCOUNTS]
    checks = [
        write("check", id, if_match=response.headers["etag"])
        for id, response in zip(ACCOUNTS, responses, strict=True)
    ]
    if (await commit(client, *checks)).status_code != 200:
        return None
    balances: list[int] = [response.json()["balance"] for response in responses]
    return sum(balances)


async def test_transfers_never_change_the_sum_whatever_else_is_written(
    two: list[AsyncClient],
) -> None:
    """And no two writers wait for each other for ever: they overlap at random, in two processes,
    beside writes of single documents and a deletion by a filter."""
    chance = random.Random(25)
    await committed(two[0], *(put(id, {"balance": START}) for id in ACCOUNTS))
    expected = START * len(ACCOUNTS)
    statuses: list[int] = []
    sums: list[int] = []

    async def use(client: AsyncClient, seed: int) -> None:
        own = random.Random(seed)
        for step in range(12):
            if own.random() < 0.6:
                response = await transfer(client, own)
            elif own.random() < 0.5:
                id = own.choice(ACCOUNTS)
                headers = {"Content-Type": "application/merge-patch+json"}
                response = await client.patch(
                    f"/stuff/{id}", json={f"seen_by_{seed}": step}, headers=headers
                )
            elif own.random() < 0.5:
                response = await client.put(f"/stuff/other-{own.randint(0, 3)}", json={"x": step})
            else:
                response = await client.delete("/stuff", params={"filter": '{"x": {"$gte": 0}}'})
            statuses.append(response.status_code)
            if (found := await sum_seen(client)) is not None:
                sums.append(found)

    async with asyncio.timeout(TIMEOUT):
        await asyncio.gather(
            *(use(two[number % 2], chance.randrange(2**32)) for number in range(6))
        )
    assert set(statuses) <= {200, 201, 412, 503}
    assert statuses.count(200) > len(statuses) / 2
    assert set(sums) <= {expected}
    found = await documents(two[0])
    assert sum(found[id]["balance"] for id in ACCOUNTS) == expected


async def test_commits_and_single_writes_of_one_document_take_effect_in_their_order(
    client: AsyncClient,
) -> None:
    await client.put("/stuff/a", json={"l": []})
    patch = {"Content-Type": "application/json-patch+json"}

    def append(n: int) -> list[dict[str, object]]:
        return [{"op": "add", "path": "/l/-", "value": n}]

    async def send(n: int) -> Response:
        if n % 3 == 0:
            return await client.patch("/stuff/a", json=append(n), headers=patch)
        others = [put(f"other-{n % 5}", {"n": n})] if n % 3 == 1 else []
        return await commit(client, *others, write("json_patch", "a", append(n)))

    sent = []
    for n in range(20):
        sent.append(asyncio.create_task(send(n)))
        await asyncio.sleep(0)
    assert [each.status_code for each in await asyncio.gather(*sent)] == [200] * 20
    assert (await client.get("/stuff/a")).json()["l"] == list(range(20))


async def test_a_commit_that_is_given_up_lets_the_others_go_on(client: AsyncClient) -> None:
    await client.put("/stuff/a", json={"n": 0})
    sent = [
        asyncio.create_task(commit(client, merge("a", {"n": n}), put(f"b{n}", {})))
        for n in range(10)
    ]
    await asyncio.sleep(0)
    for each in sent[::2]:
        each.cancel()
    answers = await asyncio.gather(*sent, return_exceptions=True)
    for answer in answers[1::2]:
        assert isinstance(answer, Response)
        assert answer.status_code == 200
    assert (await client.put("/stuff/a", json={"n": 100})).status_code == 200
    assert_problem(await commit(client, write("create", "a", {})), 412, "precondition-failed")
