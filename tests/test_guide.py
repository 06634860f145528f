"""The service has guides for its clients, which are pages of docs/."""

import re
from hashlib import sha256
from pathlib import Path
from urllib.parse import urljoin

import pytest
from httpx import AsyncClient

from service.errors import problem_types
from service.routers.assets import STATIC

ROOT = Path(__file__).parent.parent
GUIDES = sorted((STATIC / "guide").glob("*.html"))


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.stem)
def test_each_guide_is_the_page_as_it_is_now(guide: Path) -> None:
    text = guide.read_text()
    made = re.search(r"from (docs/\S+), sha256 (\w+)", text)
    assert made
    digest = sha256((ROOT / made[1]).read_bytes()).hexdigest()
    assert made[2] == digest, f"{made[1]} has changed: run make docs"


async def test_all_that_the_guides_link_to_is_there(client: AsyncClient) -> None:
    seen: set[str] = set()
    pending = {"/docs/guide"}
    while pending:
        address = pending.pop()
        response = await client.get(address)
        assert response.status_code == 200, address
        seen.add(address)
        if not address.startswith("/docs/"):
            continue
        assert response.headers["content-type"] == "text/html; charset=utf-8"
        for target in re.findall(r'(?:href|src)="([^"]+)"', response.text):
            if not target.startswith("https:"):
                pending |= {urljoin(address, target.partition("#")[0])} - seen
    assert {f"/docs/{path.stem}" for path in GUIDES} <= seen


async def test_the_page_and_each_problem_lead_to_a_guide(client: AsyncClient) -> None:
    assert '<a href="docs/guide">' in (await client.get("/")).text
    for slug in problem_types():
        description = (await client.get(f"/problems/{slug}")).text
        guide = description.rpartition("\nGuide: ")[2].strip()
        assert guide.startswith("/docs/")
        assert (await client.get(guide)).status_code == 200


async def test_nothing_is_loaded_from_another_host(client: AsyncClient) -> None:
    for path in GUIDES:
        text = (await client.get(f"/docs/{path.stem}")).text
        assert "<script" not in text
        for tag in re.findall(r"<(?:link|img)[^>]+>", text):
            assert "//" not in tag
    assert "//" not in (await client.get("/assets/guide.css")).text


async def test_a_guide_that_does_not_exist_is_a_404(client: AsyncClient) -> None:
    response = await client.get("/docs/nothing")
    assert response.status_code == 404
    assert response.json()["type"] == "/problems/route-not-found"
